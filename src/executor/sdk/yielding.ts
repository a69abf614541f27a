import type { Queryable } from "../../database/client.ts";

/** How a run awaits a statement. */
type Wait = (promise: Promise<unknown>) => Promise<unknown>;

/**
 * The same database for one run: whoever awaits a statement goes on when it is the run's turn again. Statements are sent
 * when they are awaited, and may be parts of others until then, so only their `then` differs.
 */
export function yielding(sql: Queryable, wait: Wait): Queryable {
  return new Proxy(sql, {
    apply: (target, self, args: unknown[]) => {
      const made: unknown = Reflect.apply(target, self, args);
      return isThenable(made) ? waiting(made, wait) : made;
    },
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name);
      if (name !== "unsafe" || typeof member !== "function") return member;
      return (...args: unknown[]) =>
        waiting(Reflect.apply(member, target, args) as PromiseLike<unknown>, wait);
    },
  });
}

function waiting(query: PromiseLike<unknown>, wait: Wait): PromiseLike<unknown> {
  const then = query.then.bind(query);
  const sent = (): Promise<unknown> => new Promise((resolve, reject) => void then(resolve, reject));
  return Object.assign(query, {
    // oxlint-disable-next-line unicorn/no-thenable -- a query is thenable already
    then: (...handlers: Parameters<Promise<unknown>["then"]>) => wait(sent()).then(...handlers),
  });
}

const isThenable = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === "object" && value !== null && "then" in value;
