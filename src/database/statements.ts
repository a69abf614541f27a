import type { Transaction } from "./pool.ts";

/** Of all threads of the process, in shared memory. */
let count = new Uint32Array(new SharedArrayBuffer(4));

/** Statements that were sent since the start; begins again at 0 after four billion. */
export const statementsSent = (): number => Atomics.load(count, 0);

/** For other threads of the process. */
export const statementCount = (): SharedArrayBuffer => count.buffer as SharedArrayBuffer;

/** Counts where another thread of the process does. */
export function countStatementsIn(buffer: SharedArrayBuffer): void {
  count = new Uint32Array(buffer);
}

export const countStatements = (sent: number): void => void Atomics.add(count, 0, sent);

/** The same transaction, of which each statement is counted when it is awaited; what is part of another is not. */
export function counted(sql: Transaction): Transaction {
  return new Proxy(sql, {
    apply: (target, self, args: unknown[]) => countedQuery(Reflect.apply(target, self, args)),
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (name !== "unsafe" || typeof member !== "function") return member;
      return (...args: unknown[]) => countedQuery(Reflect.apply(member, target, args));
    },
  });
}

function countedQuery(made: unknown): unknown {
  if (typeof made !== "object" || made === null || !("then" in made) || typeof made.then !== "function")
    return made;
  const then = made.then.bind(made) as (...handlers: unknown[]) => unknown;
  let isCounted = false;
  return Object.assign(made, {
    // oxlint-disable-next-line unicorn/no-thenable -- a query is thenable already
    then: (...handlers: unknown[]) => {
      if (!isCounted) countStatements(1);
      isCounted = true;
      return then(...handlers);
    },
  });
}
