import type { CallOptions } from "../control-plane.ts";
import type { World } from "./world.ts";

interface Wish extends CallOptions {
  readonly query?: string;
}

/** For each operation that takes a body, or needs a query: a small request that is accepted, and changes something. */
const WISHES: Readonly<Record<string, (world: World) => Wish>> = {
  "POST /admins": ({ n }) => ({
    body: { username: `new-${n}`, password: "long enough", instance_role: "member" },
  }),
  "PATCH /admins/{id}": ({ n }) => ({ body: { email: `new-${n}@example.com` } }),
  "POST /api-keys": ({ n }) => ({ body: { name: `key ${n}`, scopes: ["script:read"] } }),
  "POST /apps": ({ n }) => ({ body: { slug: `new-${n}`, name: "New" } }),
  "PATCH /apps/{app}": ({ n }) => ({ body: { description: `description ${n}` } }),
  "DELETE /apps/{app}": () => ({ query: "?force=true" }),
  "POST /apps/{app}:pause": () => ({ body: {} }),
  "POST /apps/{app}/slug:check": () => ({ body: { slug: "free" } }),
  "PATCH /apps/{app}/settings": ({ n }) => ({ body: { weight: 1 + (n % 50) } }),
  "POST /apps/{app}/domains": ({ n }) => ({ body: { pattern: `new-${n}.example.com` } }),
  "POST /apps/{app}/members": ({ user }) => ({ body: { user_id: user, role: "viewer" } }),
  "PATCH /apps/{app}/members/{user_id}": () => ({ body: { role: "editor" } }),
  "POST /apps/{app}/secrets": ({ n }) => ({ body: { name: `NEW_${n}`, value: "x" } }),
  "POST /apps/{app}/kv/{collection}:import": ({ n }) => ({ raw: `{"key":"new-${n}","value":1}` }),
  "PUT /apps/{app}/kv/{collection}/{key}": ({ n }) => ({ body: n }),
  "POST /apps/{app}/docs/{collection}": ({ n }) => ({ body: { n } }),
  "POST /apps/{app}/docs/{collection}:find": ({ n }) => ({ body: { n } }),
  "POST /apps/{app}/docs/{collection}:explain": ({ n }) => ({ body: { n } }),
  "POST /apps/{app}/docs/{collection}:import": ({ n }) => ({ raw: `{"data":{"n":${n}}}` }),
  "PUT /apps/{app}/docs/{collection}/{doc_id}": ({ n }) => ({ body: { n } }),
  "PATCH /apps/{app}/docs/{collection}/{doc_id}": ({ n }) => ({ body: { n } }),
  "POST /apps/{app}/docs/{collection}/indexes": () => ({ body: { field: "n" } }),
  "POST /apps/{app}/triggers/{kind}": ({ script }) => ({ body: { script_id: script, collection_glob: "*" } }),
  "PATCH /apps/{app}/triggers/{tid}": () => ({ body: { enabled: false } }),
  "POST /apps/{app}/triggers/{tid}:run": () => ({ body: {} }),
  "POST /apps/{app}/dead_letters/{dl_id}/resolve": () => ({ body: { reason: "ignored" } }),
  "POST /apps/{app}/dead_letters:replay": ({ script }) => ({ body: { script_id: script } }),
  "POST /scripts": ({ app, n }) => ({ body: { app_id: app, name: `new-${n}`, source: "1" } }),
  "GET /scripts/{id}/diff": () => ({ query: "?from=1&to=2" }),
  "PUT /scripts/{id}": () => ({ body: { source: "3" } }),
  "PUT /apps/{app}/scripts/{name}": () => ({ raw: "3" }),
  "POST /scripts/{id}/routes": ({ n }) => ({ body: { path: `/new/${n}` } }),
  "PATCH /routes/{route_id}": () => ({ body: { enabled: false } }),
  "POST /executions/{execution_id}:rerun": () => ({ body: {} }),
  "POST /routes:check": ({ app }) => ({ body: { app_id: app, path: "/free" } }),
  "POST /routes:match": ({ app }) => ({ body: { app_id: app, url: "/free" } }),
};

/** Operations that change nothing although they are no GET. */
export const READS = new Set([
  "POST /apps/{app}/docs/{collection}:find",
  "POST /apps/{app}/docs/{collection}:explain",
  "POST /apps/{app}/slug:check",
  "POST /routes:check",
  "POST /routes:match",
  "POST /scripts/{id}/versions/{version}:invoke",
]);

/** Parameters of paths, by their name or, for those called `id`, by the noun before them. */
const PARAMETERS: Readonly<Record<string, (world: World) => string>> = {
  app: ({ app }) => app,
  name: ({ scriptName }) => scriptName,
  collection: ({ scriptName }) => scriptName,
  key: ({ scriptName }) => scriptName,
  doc_id: ({ doc }) => doc,
  field: () => "indexed",
  version: () => "1",
  route_id: ({ route }) => route,
  domain_id: ({ domain }) => domain,
  execution_id: ({ execution }) => execution,
  kind: () => "kv",
  tid: ({ trigger }) => trigger,
  dl_id: ({ letter }) => letter,
  user_id: ({ member }) => member,
  "scripts/id": ({ script }) => script,
  "admins/id": ({ user }) => user,
  "api-keys/id": ({ key }) => key,
};

/** @throws Error for a parameter or a body that this table does not know: then add it */
export function requestFor(
  key: string,
  world: World,
  needsInput: boolean,
): { readonly method: string; readonly path: string; readonly options: CallOptions } {
  const [method = "", template = ""] = key.split(" ");
  const path = template.replaceAll(
    /(\w[\w-]*)?\/?\{(\w+)\}/g,
    (_, noun: string | undefined, name: string) => {
      const value = PARAMETERS[name] ?? PARAMETERS[`${noun ?? ""}/${name}`];
      if (value === undefined) throw new Error(`${key}: what is {${name}}? Add it to PARAMETERS.`);
      return `${noun ?? ""}/${value(world)}`;
    },
  );
  const wish = WISHES[key];
  if (needsInput && wish === undefined)
    throw new Error(`${key} needs a body or a query: add a request to WISHES.`);
  const { query = "", ...options } = wish?.(world) ?? {};
  return { method, path: path + query, options };
}
