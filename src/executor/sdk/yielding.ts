import type { Queryable } from "../../database/client.ts";

/** How a run awaits a statement. */
type Wait = (promise: Promise<unknown>) => Promise<unknown>;

/** A statement of a transaction that was lost would be none of it, but of whatever came after it. */
const lost = (): Promise<never> =>
  Promise.reject(
    Object.assign(new Error("The connection to the database was lost."), { code: "CONNECTION_CLOSED" }),
  );

/**
 * The same database for one run: whoever awaits a statement goes on when it is the run's turn again. Statements are sent
 * when they are awaited, and may be parts of others until then, so only their `then` differs.
 * @param end of the transaction: nothing is sent after it
 */
export function yielding(sql: Queryable, wait: Wait, end?: { readonly isOver: boolean }): Queryable {
  return new Proxy(sql, {
    apply: (target, self, args: unknown[]) => {
      const made: unknown = Reflect.apply(target, self, args);
      return isThenable(made) ? waiting(made, wait, end) : made;
    },
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (name !== "unsafe" || typeof member !== "function") return member;
      return (...args: unknown[]) =>
        waiting(Reflect.apply(member, target, args) as PromiseLike<unknown>, wait, end);
    },
  });
}

function waiting(
  query: PromiseLike<unknown>,
  wait: Wait,
  end: { readonly isOver: boolean } | undefined,
): PromiseLike<unknown> {
  const then = query.then.bind(query);
  const sent = (): Promise<unknown> =>
    end?.isOver === true ? lost() : new Promise((resolve, reject) => void then(resolve, reject));
  return Object.assign(query, {
    // oxlint-disable-next-line unicorn/no-thenable -- a query is thenable already
    then: (...handlers: Parameters<Promise<unknown>["then"]>) => wait(sent()).then(...handlers),
  });
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value;
