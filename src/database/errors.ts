import postgres from "postgres";
import { AppError, unavailable } from "../shared/errors.ts";
import { constraintError } from "./constraint-errors.ts";

/** Codes of the driver that mean: no connection, or not any more. */
const DRIVER_CODES: ReadonlySet<string> = new Set([
  "CONNECTION_CLOSED",
  "CONNECTION_ENDED",
  "CONNECTION_DESTROYED",
  "CONNECT_TIMEOUT",
]);

/** Codes of the operating system that mean the same, when the driver reports them. */
const SYSTEM_CODES: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOENT",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** SQLSTATEs: shutdown (57P01-3, 57P05), too many connections (53300), and class 08 (connection exception). */
const AWAY_STATES: ReadonlySet<string> = new Set(["57P01", "57P02", "57P03", "57P05", "53300"]);

/** Whether an error means "the database is away" rather than "the statement is wrong". */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code === undefined) return false;
  // The driver marks errors with the query; a missing file of somebody else's is no database that is away.
  if (SYSTEM_CODES.has(code)) return "query" in error;
  return DRIVER_CODES.has(code) || AWAY_STATES.has(code) || /^08\w{3}$/.test(code);
}

/** What happened to a query whose connection went away without a word from the driver. */
export const connectionLost = (): Error =>
  Object.assign(new Error("The connection to the database was lost."), { code: "CONNECTION_CLOSED" });

/** 503 `database_unavailable` with Retry-After. */
export const databaseUnavailable = (cause?: unknown): AppError =>
  unavailable(
    "database_unavailable",
    "The database is not reachable at the moment. Try again shortly.",
    2,
    cause,
  );

/**
 * What a client may know of a database error: a named constraint's AppError, 503 while the database is away, the
 * error itself when it already is an AppError; undefined for everything else (to be masked and logged).
 */
export function toAppError(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error;
  if (isConnectionError(error)) return databaseUnavailable(error);
  if (error instanceof postgres.PostgresError) return constraintError(error);
  return undefined;
}

function codeOf(error: Error): string | undefined {
  const code: unknown = "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : undefined;
}
