import { isConnectionError } from "../../../database/errors.ts";
import { openPool, type ConnectOptions, type Database } from "../../../database/pool.ts";
import { counted, countStatements } from "../../../database/statements.ts";
import type { ConnectionTarget } from "../../../database/target.ts";
import type { Begin } from "../run-context.ts";

/**
 * Connections for runs that are transactions as a whole. Each run has one to itself, in a pool of its own: after a connection
 * was lost, the driver may use what stands for it for somebody else's transaction, and a belated statement of the first one
 * would be part of that. So such a pool is thrown away. How many there are at a time is for the pool of workers to limit.
 */
export function wholeConnections(target: ConnectionTarget, options: Omit<ConnectOptions, "max">): Begin {
  const free: Database[] = [];
  return async (mode, body) => {
    const db = free.pop() ?? openPool(target, { ...options, max: 1 });
    try {
      const held = await db.begin(mode, (sql) => {
        // Its begin and its end are statements too.
        countStatements(2);
        return body(counted(sql));
      });
      free.push(db);
      return held;
    } catch (error) {
      if (isConnectionError(error)) db.end({ timeout: 0 }).catch(() => {});
      else free.push(db);
      throw error;
    }
  };
}
