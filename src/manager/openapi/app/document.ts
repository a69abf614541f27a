import type { UserRoute } from "./queries.ts";
import { scriptNotes, type Note } from "./script-notes.ts";

/** Of a route for any method. */
const METHODS = ["get", "post", "put", "patch", "delete"];
const WITH_BODY = new Set(["post", "put", "patch"]);

interface UserOperation {
  readonly summary: string;
  description?: string;
  readonly [member: string]: unknown;
}

/**
 * The OpenAPI document of what an app serves: one operation for each route and method. Where routes for several hosts
 * share path and method, the first is shown and tells of the others.
 * @param servers addresses under which the app answers
 */
export function appDocument(
  app: { readonly name: string; readonly description: string },
  routes: readonly UserRoute[],
  servers: readonly string[],
) {
  const paths: Record<string, Record<string, UserOperation>> = {};
  for (const route of routes) {
    const path = templateOf(route);
    const item = (paths[path] ??= {});
    for (const method of route.method === null ? METHODS : [route.method.toLowerCase()]) {
      const known = item[method];
      if (known === undefined) item[method] = operation(route, path, method);
      else if (route.host !== "") {
        const other = `On ${route.host} the script ${route.script_name} answers.`;
        known.description = known.description === undefined ? other : `${known.description}\n\n${other}`;
      }
    }
  }
  return {
    openapi: "3.1.1",
    // Each save is live at once, so the document has no version of its own.
    info: {
      title: app.name,
      version: "live",
      ...(app.description !== "" && { description: app.description }),
    },
    servers: servers.map((url) => ({ url })),
    paths,
  };
}

/** `/users/:id` is `/users/{id}`, and what is below `/files/` is `/files/{rest}`. */
function templateOf({ path_kind, path }: UserRoute): string {
  if (path_kind === "param") return path.replaceAll(/(?<=\/):([^/]+)/g, "{$1}");
  return path_kind === "prefix" ? `${path}{rest}` : path;
}

function operation(route: UserRoute, path: string, method: string): UserOperation {
  const notes = scriptNotes(route.head);
  const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([, name = ""]) => name);
  const description = notes.description ?? route.script_description;
  return {
    summary: notes.summary ?? (route.script_description || route.script_name).split("\n", 1)[0] ?? "",
    ...(description !== "" && { description }),
    tags: [route.script_name],
    ...(route.host !== "" && { servers: [{ url: `//${route.host}` }] }),
    ...(names.length > 0 && {
      parameters: names.map((name) => ({ name, in: "path", required: true, schema: { type: "string" } })),
    }),
    ...(WITH_BODY.has(method) && notes.body !== null && { requestBody: described(notes.body) }),
    responses: responses(route, notes.responses),
    "x-script-id": route.script_id,
  };
}

function responses(
  { dispatch_mode }: UserRoute,
  noted: Readonly<Record<string, Note>>,
): Readonly<Record<string, object>> {
  if (dispatch_mode === "async") return { "202": { description: "Accepted; runs later." } };
  if (Object.keys(noted).length === 0) return { "200": { description: "What the script answers." } };
  return Object.fromEntries(
    Object.entries(noted).map(([status, note]) => [status, { description: "", ...described(note) }]),
  );
}

const described = ({ text, example }: Note) => ({
  ...(text !== null && { description: text }),
  content: example === undefined ? { "*/*": {} } : { "application/json": { example } },
});
