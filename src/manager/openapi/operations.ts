import { statusTitle } from "../../shared/problem.ts";
import { publicPath } from "../http/actions.ts";
import { describeNeed, NEEDS } from "./capabilities.ts";
import { EXTRAS, type Extra } from "./extras.ts";
import { portable, type JsonSchema } from "./schema.ts";

/** An endpoint as Elysia knows it. */
export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly hooks: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly required?: boolean;
  readonly description?: string;
  readonly schema: JsonSchema;
}

interface Media {
  readonly schema: JsonSchema;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, { readonly description: string; readonly schema: JsonSchema }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

/** OpenAPI's Operation Object, as far as we use it. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Readonly<Record<string, Media>> };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Declaration {
  readonly params?: ObjectSchema;
  readonly query?: ObjectSchema;
  readonly body?: object;
  readonly response?: Readonly<Record<string, { readonly type?: unknown }>>;
  readonly detail?: {
    readonly summary?: string;
    readonly description?: string;
    readonly tags?: readonly string[];
  };
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, object & { readonly description?: string }>>;
  readonly required?: readonly string[];
}

/** The path of an endpoint for clients, and its entry in the document. @param root such as `/api/v1/admin` */
export function operationOf(
  { method, path, hooks }: Endpoint,
  root: string,
): { readonly path: string; readonly operation: Operation } {
  const outside = publicPath(path);
  const key = `${method} ${outside.slice(root.length)}`;
  const declared = hooks as Declaration;
  const extra = EXTRAS[key] ?? {};
  const need = NEEDS[key] ?? "user";
  const { text, scopes } = describeNeed(need);
  const body = bodyOf(declared, extra);
  const parameters = [
    ...parametersOf("path", declared.params),
    ...parametersOf("query", declared.query),
    ...(extra.ifMatch === true ? [IF_MATCH] : []),
  ];
  return {
    path: outside,
    operation: {
      operationId: operationId(method, outside.slice(root.length)),
      summary: declared.detail?.summary ?? key,
      description: [declared.detail?.description, text].filter((part) => part !== undefined).join("\n\n"),
      tags: declared.detail?.tags ?? [],
      security: need === "public" ? [] : [{ bearer: scopes }, { basic: [] }, { cookie: [] }],
      ...(parameters.length > 0 && { parameters }),
      ...(body !== undefined && { requestBody: { required: true, content: body } }),
      responses: responsesOf(method, declared, extra, {
        guarded: need !== "public",
        json: declared.body !== undefined,
        parameters: parameters.length > 0,
        app: outside.startsWith(`${root}/apps/{app}`),
      }),
    },
  };
}

/** `GET /apps/{app}/members:candidates` is `getAppsByAppMembersCandidates`. */
export const operationId = (method: string, path: string): string =>
  method.toLowerCase() +
  path
    .replaceAll(/\{(\w+)\}/g, "by_$1")
    .split(/[^a-zA-Z0-9]+/)
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");

const IF_MATCH: Parameter = {
  name: "If-Match",
  in: "header",
  description: "The ETag that was read: 412 when somebody saved in between.",
  schema: { type: "string" },
};

const ETAG = { description: "The version, for If-Match.", schema: { type: "string" } };
const REQUEST_ID = {
  description: "Names this request in the server's log.",
  schema: { type: "string", format: "uuid" },
};
const MOVED: Response = {
  description: "The path names the app by a former slug.",
  headers: {
    "X-Request-Id": REQUEST_ID,
    Location: { description: "The same with the current slug.", schema: { type: "string" } },
  },
};
const RETRY_AFTER = { description: "Seconds to wait.", schema: { type: "integer" } };

function parametersOf(place: "path" | "query", schema: ObjectSchema | undefined): Parameter[] {
  if (schema === undefined) return [];
  return Object.entries(schema.properties).map(([name, member]) => {
    const { description, ...rest } = portable(member);
    return {
      name,
      in: place,
      ...((place === "path" || schema.required?.includes(name) === true) && { required: true }),
      ...(typeof description === "string" && { description }),
      schema: rest,
    };
  });
}

function bodyOf({ body }: Declaration, extra: Extra): Record<string, Media> | undefined {
  if (extra.body !== undefined)
    return Object.fromEntries(
      Object.entries(extra.body).map(([type, schema]) => [type, { schema: portable(schema) }]),
    );
  return body === undefined ? undefined : { "application/json": { schema: portable(body) } };
}

/** The declared answers, and those that what stands before every endpoint may give. */
function responsesOf(
  method: string,
  { response = {} }: Declaration,
  extra: Extra,
  {
    guarded,
    json,
    parameters,
    app,
  }: {
    readonly guarded: boolean;
    readonly json: boolean;
    readonly parameters: boolean;
    readonly app: boolean;
  },
): Record<string, Response> {
  const answers: Record<string, Response> = {};
  for (const [status, schema] of Object.entries(response)) {
    answers[status] =
      Number(status) >= 400 ? problem(Number(status)) : success(Number(status), schema, extra);
  }
  const implied = [
    ...(guarded ? [401, 429] : []),
    // A malformed escape in the path; a body that is no JSON.
    ...(parameters || json ? [400] : []),
    // A cookie of another site's page.
    ...(guarded && method !== "GET" ? [403] : []),
    ...(json ? [413, 415, 422] : []),
    ...(parameters ? [422] : []),
    500,
    503,
  ];
  for (const status of implied) answers[status] ??= problem(status);
  if (app && method === "GET") answers[301] = MOVED;
  return answers;
}

function success(status: number, schema: { readonly type?: unknown }, extra: Extra): Response {
  const headers = { "X-Request-Id": REQUEST_ID, ...(extra.etag === true && { ETag: ETAG }) };
  const description = statusTitle(status);
  if (schema.type === "void") return { description, headers };
  const type =
    extra.events === true
      ? "text/event-stream"
      : extra.lines === true && schema.type === "string"
        ? "application/x-ndjson"
        : schema.type === "string"
          ? "text/plain"
          : "application/json";
  return { description, headers, content: { [type]: { schema: portable(schema) } } };
}

/** An answer that is a problem document. */
export const problem = (status: number): Response => ({
  description: statusTitle(status),
  headers: {
    "X-Request-Id": REQUEST_ID,
    ...((status === 429 || status === 503) && { "Retry-After": RETRY_AFTER }),
  },
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
});
