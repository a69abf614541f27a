/**
 * Namespaces that ask services, and what they need. Loaded by the first run of a worker that mentions one of them,
 * since most of what it brings along is the driver of the database.
 */
import { connect, outliveDriverFault } from "../../../database/client.ts";
import { toAppError } from "../../../database/errors.ts";
import type { ConnectionTarget } from "../../../database/target.ts";
import type { SdkNamespace } from "../define.ts";
import type { Services } from "../run-context.ts";
import { deadLetters } from "./dead-letters.ts";
import { docs } from "./docs.ts";
import { kv } from "./kv.ts";
import { pubsub } from "./pubsub.ts";
import { tx } from "./tx.ts";
import { wholeConnections } from "./whole-connections.ts";

export { runWhole, type WholeEnd } from "./whole-run.ts";

export const serviceNamespaces: readonly SdkNamespace[] = [deadLetters, docs, kv, pubsub, tx];

/** A statement of a script that takes longer is ended. */
const STATEMENT_TIMEOUT_MS = 5000;

/**
 * Connections of a worker at most, for what is read and for what is written. Statements are sent without waiting for the
 * answers to those before, so one of each would nearly do; but what is read would wait for the disk behind what is written,
 * and everything for a slow query, a lock or a transaction.
 */
const CONNECTIONS = 2;

/** What a worker's service calls work with: connections of its own, opened by the first calls. */
export function openServices(
  database: ConnectionTarget,
  notices: Pick<Services, "eventsCaused" | "expires" | "indexesChanged">,
): Services {
  // Without this, runs that have nothing to do with it would end with the worker.
  process.on("uncaughtException", (error: unknown) => {
    if (!outliveDriverFault(error)) throw error;
  });
  const options = {
    applicationName: "picloud-worker",
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    idleTimeoutSeconds: 10,
  };
  // A commit whose answer was lost may have caused events.
  const db = connect(database, { ...options, max: CONNECTIONS, onLost: notices.eventsCaused });
  const reads = connect(database, { ...options, max: CONNECTIONS });
  return { db, reads, beginWhole: wholeConnections(database, options), ...notices, explain };
}

/** SQLSTATE of a statement that took longer than it may. */
const CANCELED = "57014";

function explain(error: unknown): string | undefined {
  if (error instanceof Error && "code" in error && error.code === CANCELED) {
    return `the database took longer than ${STATEMENT_TIMEOUT_MS / 1000} s`;
  }
  return toAppError(error)?.message;
}
