import type postgres from "postgres";
import { connectionLost, isConnectionError } from "./errors.ts";
import { openPool, type ConnectOptions, type Database, type Transaction } from "./pool.ts";
import { counted, countStatements } from "./statements.ts";
import type { ConnectionTarget } from "./target.ts";

export type { ConnectOptions, Database, Queryable, Transaction } from "./pool.ts";

/** What was under way when a pool was given up may still end well; after this it is told that it did not. */
const GRACE_MS = 1000;
/** A pool that has never worked is not given up before this age: the database is away, not the pool broken. */
const PATIENCE_MS = 2000;

/** One pool of the driver's, and what waits for it. */
interface Generation {
  readonly db: Database;
  readonly openedAt: number;
  hasWorked: boolean;
  readonly waiting: Set<(reason: Error) => void>;
}

/**
 * Connects to a database, for good. The driver (postgres 3.4.9) does not always recover when a connection is cut in
 * the middle of a query: slots of its pool may stay broken, and some promises never settle (its issues 1066, 1154 and
 * 1208). So a pool that lost a connection is given up: new queries go to a fresh one, and whoever still waits for the
 * old one is told after a moment.
 *
 * Opens nothing yet: the first query does. `end()` closes the pool, giving running queries one second.
 */
export function connect(target: ConnectionTarget, options: ConnectOptions): Database {
  const open = (): Generation => ({
    db: openPool(target, options),
    openedAt: performance.now(),
    hasWorked: false,
    waiting: new Set(),
  });
  let current = open();
  let ended = false;

  const giveUp = (generation: Generation): void => {
    if (ended || generation !== current) return;
    if (!generation.hasWorked && performance.now() - generation.openedAt < PATIENCE_MS) return;
    renew(generation);
  };
  const renew = (generation: Generation): void => {
    current = open();
    setTimeout(() => {
      for (const reject of generation.waiting) reject(connectionLost());
      generation.db.end({ timeout: 0 }).catch(() => {});
      options.onLost?.();
    }, GRACE_MS);
  };
  const renewCurrent = (): void => {
    // Of one that is so young it is not, but of the one before.
    if (performance.now() - current.openedAt > GRACE_MS) renew(current);
  };
  pools.add(renewCurrent);

  const watched = <T>(generation: Generation, work: (settle: Settle<T>) => void): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      generation.waiting.add(reject);
      work({
        done: (value) => {
          generation.waiting.delete(reject);
          generation.hasWorked = true;
          resolve(value);
        },
        failed: (error) => {
          generation.waiting.delete(reject);
          reject(error instanceof Error ? error : new Error(String(error)));
          if (isConnectionError(error)) giveUp(generation);
        },
      });
    });

  /** Queries run when they are awaited, and may be parts of others until then: only `then` is ours. */
  const watchedQuery = (generation: Generation, query: Query): Query => {
    const then = query.then.bind(query);
    return Object.assign(query, {
      // oxlint-disable-next-line unicorn/no-thenable -- a query is thenable already
      then: <A, B>(fulfilled?: OnFulfilled<A>, rejected?: OnRejected<B>) => {
        countStatements(1);
        return watched<Row[]>(generation, ({ done, failed }) => void then(done, failed)).then(
          fulfilled,
          rejected,
        );
      },
    });
  };

  return new Proxy(current.db, {
    apply: (_, self, args: unknown[]) => {
      const generation = current;
      const made: unknown = Reflect.apply(generation.db, self, args);
      // A call with an array or an object makes a helper, not a query.
      return isTemplate(args[0]) ? watchedQuery(generation, made as Query) : made;
    },
    get: (_, name) => {
      const generation = current;
      const member: unknown = Reflect.get(generation.db, name);
      if (typeof member !== "function") return member;
      if (name === "end") {
        ended = true;
        pools.delete(renewCurrent);
      }
      if (name === "unsafe" || name === "file") {
        return (...args: unknown[]) => watchedQuery(generation, Reflect.apply(member, generation.db, args));
      }
      if (name === "begin" || name === "reserve") {
        return (...given: unknown[]) => {
          const args = name === "begin" ? given.map(countedWork) : given;
          return watched(generation, ({ done, failed }) => {
            (Reflect.apply(member, generation.db, args) as Promise<unknown>).then(done, failed);
          });
        };
      }
      return member;
    },
  });
}

/** Those of this thread: each is replaced by the call. */
const pools = new Set<() => void>();

/** In the binary too, stack traces name the real files. */
const IN_DRIVER = /[\\/]postgres[\\/]src[\\/]/;

/**
 * For errors that nobody awaited: out of a timer the driver writes to a connection that was closed meanwhile, and the query
 * in question never settles. Nobody knows which, so all pools of this thread are replaced, and whoever waits is told.
 * @returns whether it is such an error
 */
export function outliveDriverFault(error: unknown): boolean {
  if (!(error instanceof Error) || !IN_DRIVER.test(error.stack ?? "")) return false;
  for (const renew of pools) renew();
  return true;
}

/** Of what `begin` is given, the function; its begin and its end are statements too. */
function countedWork(given: unknown): unknown {
  if (typeof given !== "function") return given;
  const work = given as (sql: Transaction) => unknown;
  return (sql: Transaction) => {
    countStatements(2);
    return work(counted(sql));
  };
}

type Row = postgres.Row;
type Query = postgres.PendingQuery<Row[]>;

interface Settle<T> {
  readonly done: (value: T) => void;
  readonly failed: (error: unknown) => void;
}
type OnFulfilled<A> = ((rows: Row[]) => A | PromiseLike<A>) | null;
type OnRejected<B> = ((error: unknown) => B | PromiseLike<B>) | null;

const isTemplate = (value: unknown): boolean => Array.isArray(value) && Object.hasOwn(value, "raw");
