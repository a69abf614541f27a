import postgres from "postgres";
import { ARRAY_OF_ELEMENT, ARRAY_TYPES, parseInt8 } from "./arrays.ts";
import { socketPath } from "./socket-path.ts";
import type { ConnectionTarget } from "./target.ts";

/** What crosses the wire beyond the driver's own types. */
type CustomTypes = { bigint: number | bigint };

/**
 * A pool of connections: a tagged template that runs SQL, with `begin`, `json`, `end`.
 *
 * int8 arrives as a number while it is a safe integer and as a bigint beyond, so that nothing is rounded; jsonb as
 * parsed JSON (give `sql.json(value)`), timestamptz as Date (milliseconds), bytea as Buffer, numeric as string, arrays
 * of the built-in types as arrays (enums and domains as text).
 */
export type Database = postgres.Sql<CustomTypes>;
/** What `database.begin(async (sql) => …)` hands to its callback. */
export type Transaction = postgres.TransactionSql<CustomTypes>;
/** For queries that run on a pool or inside a transaction alike. */
export type Queryable = postgres.ISql<CustomTypes>;

export interface ConnectOptions {
  /** Connections at most; they are opened when first needed. */
  readonly max: number;
  /** Shown in pg_stat_activity: `picloud-manager`, `picloud-worker-3`. */
  readonly applicationName: string;
  /** A statement that runs longer is ended by the server (57014). 0: no limit. Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** An unused connection closes after this many seconds; null: never. Default 60. */
  readonly idleTimeoutSeconds?: number | null;
  /**
   * Whether a statement is planned once and the plan kept, which then finds its few rows by indexes, however large the
   * tables are by then. For statements that are sent often and take less time than planning them: on a queue, whose size
   * is never what it was. Default false.
   */
  readonly keepsPlans?: boolean;
  /** Default 5. */
  readonly connectTimeoutSeconds?: number;
  /**
   * A connection was lost, and what was under way has been told so by now: it may have been carried out all the same.
   * For `connect`.
   */
  readonly onLost?: () => void;
  /** For listen.ts: a notification arrived. */
  readonly onNotify?: (channel: string, payload: string) => void;
  /** For listen.ts: a connection was closed, or could not be made. */
  readonly onClose?: () => void;
}

/** One pool of the driver's. Opens nothing yet: the first query does. `end()` gives running queries one second. */
export function openPool(target: ConnectionTarget, options: ConnectOptions): Database {
  const settings = {
    max: options.max,
    connect_timeout: options.connectTimeoutSeconds ?? 5,
    // A closed connection is a server process less; opening one again on the embedded server takes a few ms.
    idle_timeout: options.idleTimeoutSeconds === undefined ? 60 : (options.idleTimeoutSeconds ?? undefined),
    // The driver's default renews connections after 30 to 60 minutes: a wake-up for nothing on an idle machine.
    max_lifetime: null,
    prepare: true,
    onnotice: () => {},
    onnotify: options.onNotify,
    onclose: options.onClose,
    // Seconds. The driver counts the failures of all its connections, which come by the dozen when the server restarts.
    backoff: (failures: number) => Math.min(0.05 * 2 ** failures, 0.5),
    connection: {
      application_name: options.applicationName,
      statement_timeout: options.statementTimeoutMs ?? 30_000,
      idle_in_transaction_session_timeout: 60_000,
      ...(options.keepsPlans === true && {
        plan_cache_mode: "force_generic_plan",
        enable_seqscan: "off",
        enable_hashjoin: "off",
        enable_mergejoin: "off",
      }),
    },
    fetch_types: false,
    types: { ...ARRAY_TYPES, bigint: INT8 },
  };
  return adjusted(
    target.kind === "url"
      ? postgres(target.url, settings)
      : postgres({
          ...settings,
          path: socketPath(target.directory),
          host: "localhost",
          port: 5432,
          ssl: false,
          user: target.user,
          database: target.database,
        }),
  );
}

/** How long `end()` waits for running queries when it is not told, in seconds. */
const END_TIMEOUT = 1;

/** What the driver has no setting for. */
function adjusted(db: Database): Database {
  // `sql.array` knows the array types, as after the driver's own look-up.
  const options: object = db.options;
  if ("shared" in options) Object.assign(options.shared as object, { typeArrayMap: ARRAY_OF_ELEMENT });
  // Without a limit the driver waits for ever once a connection was cut in the middle of a query.
  const end = db.end.bind(db);
  // Without the look-up of array types the driver never hands out a connection that `reserve` itself opened.
  const reserve = db.reserve.bind(db);
  return Object.assign(db, {
    end: (how?: { timeout?: number }) => end({ timeout: END_TIMEOUT, ...how }),
    reserve: async () => {
      await db`select 1`;
      return reserve();
    },
  });
}

const INT8 = {
  to: 20,
  from: [20],
  serialize: (value: number | bigint) => value.toString(),
  parse: parseInt8,
};
