/**
 * Where the database is. A plain object, so that it can be posted to a Worker or put into an environment variable
 * as JSON; no secret is in the embedded form (peer authentication), the URL form may hold a password.
 */
export type ConnectionTarget =
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "socket";
      /** Absolute path of the directory that holds `.s.PGSQL.5432`. May be longer than a socket address. */
      readonly directory: string;
      readonly user: string;
      readonly database: string;
    };

/** The target that DATABASE_URL names. */
export const urlTarget = (url: string): ConnectionTarget => ({ kind: "url", url });

/** The same server, another database. */
export function withDatabase(target: ConnectionTarget, database: string): ConnectionTarget {
  if (target.kind === "socket") return { ...target, database };
  const url = new URL(target.url);
  url.pathname = `/${encodeURIComponent(database)}`;
  return { kind: "url", url: url.href };
}
