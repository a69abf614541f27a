import type { Queryable } from "../../../database/client.ts";
import type { FnPtr, Value } from "../../../rhai/index.ts";
import { serviceCallingBack, type CallContext, type SdkNamespace } from "../define.ts";
import { func } from "../params.ts";
import { SdkError } from "../sdk-error.ts";

/** How long a transaction may take (CONTRACT 14.4). */
const MAX_MS = 5000;
/** Service calls in one. */
const MAX_CALLS = 500;
/** Times that it is tried again when others changed the same data. */
const MAX_RETRIES = 3;

/** SQLSTATEs: a serialization failure, a deadlock. */
const RETRY: ReadonlySet<unknown> = new Set(["40001", "40P01"]);

/** Whether others were in the way: the same may succeed when it is done again. */
export const isCollision = (error: unknown): boolean => RETRY.has(codeOf(error));

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;

/** A function in a transaction of its own, or in the one that is under way. */
async function run(context: CallContext, fn: FnPtr): Promise<Value> {
  const { run: whole } = context;
  if (whole.isWhole) return part(context, fn);
  if (whole.isInTransaction) return context.native.call(fn, []);
  for (let retries = 0; ; retries++) {
    try {
      return await attempt(context, fn);
    } catch (error) {
      if (!isCollision(error)) throw error;
      if (retries === MAX_RETRIES) {
        throw new SdkError(
          "others changed the same data at the same time, again and again; nothing was changed",
        );
      }
    }
  }
}

/** What a script throws is no Error of JavaScript, which the driver would not hand on. */
class Thrown extends Error {
  readonly thrown: unknown;
  constructor(thrown: unknown) {
    super("the function threw");
    this.thrown = thrown;
  }
}

/** A function in a run that is a transaction itself: what it changes is undone when it throws, and kept only with the run. */
async function part({ run: context, native }: CallContext, fn: FnPtr): Promise<Value> {
  try {
    const { value } = await context.part(async () => {
      try {
        return { value: await native.call(fn, []) };
      } catch (error) {
        throw error instanceof Error ? error : new Thrown(error);
      }
    });
    return value;
  } catch (error) {
    throw error instanceof Thrown ? error.thrown : error;
  }
}

async function attempt({ run: context, native }: CallContext, fn: FnPtr): Promise<Value> {
  const deadline = performance.now() + MAX_MS;
  const body = async (sql: Queryable): Promise<{ readonly value: Value }> => {
    const leave = context.enterTransaction({ sql, deadline, maxCalls: MAX_CALLS, parts: null });
    try {
      const value = await native.call(fn, []);
      if (performance.now() > deadline) throw new SdkError(`a transaction may take ${MAX_MS / 1000} s`);
      return { value };
    } catch (error) {
      throw error instanceof Error ? error : new Thrown(error);
    } finally {
      leave();
    }
  };
  try {
    // It rejects with the error of a statement that failed, even if the script caught that: the transaction is lost then.
    const { value } = await context.begin(body);
    return value;
  } catch (error) {
    throw error instanceof Thrown ? error.thrown : error;
  }
}

export const tx: SdkNamespace = {
  name: "tx",
  doc: "Several changes as one.",
  functions: [
    serviceCallingBack({
      name: "run",
      params: [func("function")],
      returns: "any",
      doc:
        "Calls a function, and answers what it answers. What it changes in kv and docs happens as a whole or, if it throws, not " +
        `at all. It sees one state of the data. When others change the same data meanwhile it is called again, up to ${MAX_RETRIES} times: ` +
        `it should do nothing else. It may take ${MAX_MS / 1000} s and ${MAX_CALLS} calls. A tx::run inside belongs to the outer one. ` +
        "In a run that is a transaction itself (a transactional trigger's) it is a part of that, which is undone alone if it throws.",
      example: {
        source: [
          'let accounts = kv::collection("accounts");',
          'accounts.set("ada", 10);',
          "tx::run(|| {",
          '  accounts.incr("ada", -4);',
          '  accounts.incr("bob", 4);',
          "});",
          'accounts.get_many(["ada", "bob"])',
        ].join("\n"),
        result: '#{"ada": 6, "bob": 4}',
      },
      errors: [
        {
          source: 'tx::run(|| { for i in 0..501 { kv::collection("c").get("k"); } })',
          message: "kv::get: a transaction may make 500 calls of services, no more",
        },
      ],
      call: run,
    }),
  ],
};
