/**
 * Endpoints whose path ends with `:verb`. Elysia reads a colon as the start of a parameter, so such a path is handed to
 * it as `…/~verb`; a new action adds its line here. Script names may hold colons, so this is a list, not a rule.
 */
const ACTIONS: readonly RegExp[] = [
  /^(\/apps\/[^/]+):(pause|resume)$/,
  /^(\/routes):(check|match)$/,
  /^(\/apps\/[^/]+\/members):(candidates)$/,
  /^(\/apps\/[^/]+\/slug):(check)$/,
  /^(\/scripts\/[^/]+\/versions\/[^/]+):(activate|invoke)$/,
  /^(\/apps\/[^/]+\/executions):(tail)$/,
  /^(\/executions\/[^/]+):(rerun)$/,
  /^(\/apps\/[^/]+\/kv\/[^/]+):(export|import)$/,
  /^(\/apps\/[^/]+\/docs\/[^/]+):(find|explain|export|import)$/,
  /^(\/apps\/[^/]+\/dead_letters):(replay)$/,
];

/**
 * Those of which another endpoint of the same method has a parameter of another name before the colon, which Elysia's
 * router does not allow: here the verb comes before the parameter, as `…/~verb/:parameter`.
 */
const VERB_FIRST: readonly RegExp[] = [/^(\/apps\/[^/]+\/triggers)\/([^/]+):(run)$/];

/** The path under which an endpoint is registered. @param path below the API's root */
export function internalPath(path: string): string {
  for (const action of ACTIONS) {
    const match = action.exec(path);
    if (match !== null) return `${match[1]}/~${match[2]}`;
  }
  for (const action of VERB_FIRST) {
    const match = action.exec(path);
    if (match !== null) return `${match[1]}/~${match[3]}/${match[2]}`;
  }
  // A name that begins like that is one all the same.
  return path.replaceAll("/~", "/%7E");
}

/** The path that clients use, of one under which an endpoint is registered: `/apps/:app/members/~candidates` is
 * `/apps/{app}/members:candidates`. */
export const publicPath = (path: string): string =>
  path
    .replaceAll(/\/~([\w-]+)\/:(\w+)/g, "/{$2}:$1")
    .replaceAll(/\/:(\w+)/g, "/{$1}")
    .replaceAll(/\/~([\w-]+)/g, ":$1");

/** The path that the client wrote, of one that `internalPath` gave. */
export const writtenPath = (path: string): string =>
  path.replace(/\/~(\w+)$/, ":$1").replace(/\/~(\w+)\/([^/]+)$/, "/$2:$1");
