import type { Queryable } from "../../../database/client.ts";
import { isConnectionError } from "../../../database/errors.ts";
import { acknowledge, transactionStatus, type Attempt } from "../../../services/events/index.ts";
import type { RunContext } from "../run-context.ts";
import { isCollision } from "./tx.ts";

/**
 * What became of a run that is one transaction. `undone`: because of what the run itself did. `collided`: others changed the
 * same data meanwhile; nothing has happened, and the same run may succeed when it is made again. `lost`: its event is not its
 * own any more. `failed`: with an error of ours, or of a call.
 */
export type WholeEnd =
  | { readonly kind: "committed" | "undone" | "collided" | "lost" }
  | { readonly kind: "failed"; readonly error: unknown };

/** How long the database is asked for the fate of a transaction whose commit it has not answered. */
const ASK_FOR_MS = 5000;
const ASK_EVERY_MS = 250;

/** SQLSTATE of a lock that was waited for in vain. */
const LOCKED = "55P03";

/** Ends the transaction without an error of its own. */
class Undone extends Error {
  readonly kind: "undone" | "lost";
  constructor(kind: "undone" | "lost") {
    super(kind);
    this.kind = kind;
  }
}

/**
 * Makes a run one transaction, whose last statement ends the delivery that it is for: everything happens, or nothing.
 *
 * Each sees the data as it was when it began, and fails when others have changed since what it changes, so nothing is ever
 * overwritten unseen. Where the script asks for transactions itself, they are promised to be serializable; then the whole is.
 * Not otherwise: whoever takes part in that makes others fail for as long as it takes, which may be minutes.
 * @param run the script; resolves to whether what it did is to be kept, rejects with a fault
 */
export async function runWhole(
  context: RunContext,
  delivery: Attempt,
  options: { readonly isSerializable: boolean },
  run: () => Promise<boolean>,
): Promise<WholeEnd> {
  let transaction: string | null = null;
  let under: Promise<unknown> = Promise.resolve();
  const body = async (sql: Queryable): Promise<void> => {
    if (!(await run())) throw new Undone("undone");
    transaction = await acknowledge(sql, delivery);
    if (transaction === null) throw new Undone("lost");
  };
  try {
    const level = options.isSerializable ? "serializable" : "repeatable read";
    await context.beginWhole(`isolation level ${level}`, (sql) => {
      const work = body(sql);
      under = work.catch(() => {});
      return work;
    });
    return { kind: "committed" };
  } catch (error) {
    // The connection may be lost while the script is at work.
    await context.wait(under);
    if (error instanceof Undone) return { kind: error.kind };
    if (isCollision(error) || codeOf(error) === LOCKED) return { kind: "collided" };
    return transaction !== null && isConnectionError(error)
      ? fateOf(context, transaction, error)
      : { kind: "failed", error };
  }
}

/** The commit was sent, and the connection lost before the answer. */
async function fateOf(context: RunContext, transaction: string, cause: unknown): Promise<WholeEnd> {
  const until = performance.now() + ASK_FOR_MS;
  while (performance.now() < until) {
    try {
      const status = await transactionStatus(context.sql, transaction);
      if (status === "committed") {
        context.committed();
        return { kind: "committed" };
      }
      if (status !== "in progress") break;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
    }
    await context.wait(Bun.sleep(ASK_EVERY_MS));
  }
  // It may have happened all the same.
  context.committed();
  return { kind: "failed", error: cause };
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && "code" in error ? error.code : undefined;
