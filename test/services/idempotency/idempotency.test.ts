import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  createIdempotency,
  type Idempotency,
  type IdempotentRequest,
} from "../../../src/services/idempotency/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

let database: TestDatabase;
let idempotency: Idempotency;
let appId: string;

beforeAll(async () => {
  database = await testDatabase();
  idempotency = createIdempotency(database.db);
  appId = await seed(database.db).app("keys");
});

afterAll(() => database.drop());

const scopeId = newId();
let keys = 0;
const request = (over: Partial<IdempotentRequest> = {}): IdempotentRequest => ({
  appId,
  scopeId,
  key: `key-${++keys}`,
  parts: ["POST", "/orders", "body"],
  executionId: newId(),
  abandonedSeconds: 60,
  ...over,
});

/** Answers 201 and counts how often it was carried out. */
function order() {
  let times = 0;
  return {
    carryOut: async () => {
      times++;
      return new Response(`order ${times}`, {
        status: 201,
        headers: [
          ["content-type", "text/plain"],
          ["set-cookie", "a=1"],
          ["set-cookie", "b=2"],
          ["x-request-id", "one"],
          ["x-execution-id", "run"],
        ],
      });
    },
    times: () => times,
  };
}

describe("an idempotency key", () => {
  test("has a request carried out once, and gives its answer again, byte by byte", async () => {
    const { carryOut, times } = order();
    const asked = request();
    const first = await idempotency.once(asked, carryOut);
    expect([first.status, await first.text(), first.headers.get("idempotent-replayed")]).toEqual([
      201,
      "order 1",
      null,
    ]);
    const again = await idempotency.once({ ...asked, executionId: newId() }, carryOut);
    expect([again.status, await again.text()]).toEqual([201, "order 1"]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.headers.getSetCookie()).toEqual(["a=1", "b=2"]);
    expect(again.headers.get("x-execution-id")).toBe("run");
    expect(again.headers.has("x-request-id")).toBe(false);
    expect(times()).toBe(1);
  });

  test("of many at once lets one through; the others are told that it is under way", async () => {
    const asked = request();
    const gate = Promise.withResolvers<void>();
    let times = 0;
    let refused = 0;
    const slow = async () => {
      times++;
      await gate.promise;
      return new Response("done");
    };
    const all = Array.from({ length: 8 }, () =>
      idempotency.once({ ...asked, executionId: newId() }, slow).then(
        (answer) => answer.status,
        (error: unknown) => {
          if (++refused === 7) gate.resolve();
          return (error as { readonly code: string }).code;
        },
      ),
    );
    const outcomes = await Promise.all(all);
    expect(times).toBe(1);
    expect(outcomes.filter((outcome) => outcome === 200)).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "in_progress")).toHaveLength(7);
  });

  test("is refused for another request", async () => {
    const asked = request();
    await idempotency.once(asked, order().carryOut);
    for (const parts of [
      ["POST", "/orders", "other"],
      ["POST", "/ordersb", "ody"],
      ["POST/orders", "", "body"],
    ]) {
      const refusal = idempotency.once({ ...asked, parts }, order().carryOut);
      expect(await refusal.catch((error: unknown) => error)).toMatchObject({
        status: 422,
        code: "idempotency_key_reused",
      });
    }
  });

  test("is free again when nothing was done", async () => {
    const { carryOut, times } = order();
    const asked = request();
    const broken = idempotency.once(asked, () => Promise.reject(new Error("no slot")));
    expect(await broken.catch(String)).toBe("Error: no slot");
    expect((await idempotency.once(asked, carryOut)).status).toBe(201);
    expect(times()).toBe(1);
  });

  test("of a process that died is free again once its run must have ended", async () => {
    const { carryOut, times } = order();
    const asked = request();
    await database.db`
      insert into idempotency_keys (app_id, scope_id, key, request_sha256, execution_id, created_at)
      values (${appId}, ${scopeId}, ${asked.key}, ${Buffer.from("x")}, ${newId()}, now() - interval '61 seconds')`;
    expect((await idempotency.once(asked, carryOut)).status).toBe(201);
    expect(times()).toBe(1);
  });

  test("is forgotten after a day", async () => {
    const { carryOut, times } = order();
    const asked = request();
    await idempotency.once(asked, carryOut);
    await database.db`update idempotency_keys set created_at = now() - interval '25 hours' where key = ${asked.key}`;
    await idempotency.once({ ...asked, executionId: newId() }, carryOut);
    expect(times()).toBe(2);
  });

  test("belongs to one app and one route", async () => {
    const { carryOut, times } = order();
    const asked = request();
    const otherApp = await seed(database.db).app("other-keys");
    await idempotency.once(asked, carryOut);
    await idempotency.once({ ...asked, scopeId: newId() }, carryOut);
    await idempotency.once({ ...asked, appId: otherApp }, carryOut);
    expect(times()).toBe(3);
  });
});

describe("an answer that is kept with what was carried out", () => {
  const kept = (then: () => void) => (wanted: IdempotentRequest) =>
    idempotency.once(wanted, async (keep) => {
      const answer = new Response("accepted", { status: 202 });
      await database.db.begin(async (sql) => keep(sql, answer));
      then();
      return answer;
    });
  const crash = () => {
    throw new Error("the answer to the commit was lost");
  };

  test("is given, and given again", async () => {
    const wanted = request();
    const once = kept(() => {});
    const answers = [await once(wanted), await once({ ...wanted, executionId: newId() })];
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(["accepted", "accepted"]);
    expect(answers.map(({ headers }) => headers.get("idempotent-replayed"))).toEqual([null, "true"]);
  });

  test("is given again also when nobody heard of the commit", async () => {
    const wanted = request();
    expect(await kept(crash)(wanted).catch(String)).toContain("lost");
    const again = await kept(crash)({ ...wanted, executionId: newId() });
    expect([again.status, await again.text()]).toEqual([202, "accepted"]);
  });

  test("is not kept, and nothing is carried out, when the key is somebody else's by then", async () => {
    const wanted = request({ abandonedSeconds: 0 });
    const slow = idempotency.once(wanted, async (keep) => {
      await idempotency.once({ ...wanted, executionId: newId() }, async () => new Response("other"));
      const answer = new Response("accepted", { status: 202 });
      await database.db.begin(async (sql) => {
        await sql`insert into kv_entries (app_id, collection, key, value) values (${appId}, 'c', 'slow', '1')`;
        await keep(sql, answer);
      });
      return answer;
    });
    expect(await slow.catch((error: unknown) => error)).toMatchObject({ code: "in_progress" });
    expect(await database.db`select from kv_entries where app_id = ${appId} and key = 'slow'`).toHaveLength(
      0,
    );
    const again = await idempotency.once(
      { ...wanted, executionId: newId() },
      async () => new Response("third"),
    );
    expect(await again.text()).toBe("other");
  });
});
