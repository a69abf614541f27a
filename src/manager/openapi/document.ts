import { VERSIONS } from "../../shared/version.ts";
import { operationOf, type Endpoint, type Operation, type Response } from "./operations.ts";
import { componentSchemas, mapValues, type JsonSchema } from "./schema.ts";
import { SYSTEM_PATHS } from "./system.ts";

/** An OpenAPI 3.1 document, as far as we use it. */
export interface OpenApiDocument {
  readonly openapi: "3.1.1";
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly { readonly url: string }[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, JsonSchema>>;
  };
}

/**
 * The document of the HTTP API, made from the very schemas that validate requests and answers.
 * @param endpoints all those of the control plane
 * @param root of their paths
 */
export function openApiDocument(endpoints: readonly Endpoint[], root: string): OpenApiDocument {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const endpoint of endpoints) {
    const { path, operation } = operationOf(endpoint, root);
    (paths[path] ??= {})[endpoint.method.toLowerCase()] = operation;
  }
  const all = { ...paths, ...SYSTEM_PATHS };
  const tags = new Set(
    Object.values(all).flatMap((item) => Object.values(item).flatMap(({ tags: own }) => own)),
  );
  return {
    openapi: "3.1.1",
    info: {
      title: "PiCloud",
      version: VERSIONS.product,
      summary: "The HTTP API of a PiCloud server.",
      description:
        "Failures are problem documents (RFC 9457) with a stable `code`. Unknown fields of a body, and unknown query " +
        "parameters, are refused with 422. Times are RFC 3339 in UTC.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: [...tags].toSorted().map((name) => ({ name })),
    paths: all,
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "The token of a login, or an API key (`pic_…`).",
        },
        basic: { type: "http", scheme: "basic", description: "Username and password." },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "picloud_session",
          description: "Set by the login. Changes must come from the server's own pages.",
        },
        metrics: { type: "http", scheme: "bearer", description: "The value of `PICLOUD_METRICS_TOKEN`." },
      },
    },
  };
}

/**
 * The document as it is sent: answers that many operations share stand once, in `components`. That halves its
 * length.
 */
export function published(document: OpenApiDocument): object {
  const shared: Record<string, object> = {};
  const shorten = (status: string, response: Response): object => {
    if (response.content?.["application/problem+json"] === undefined) return response;
    shared[`Problem${status}`] = response;
    return { $ref: `#/components/responses/Problem${status}` };
  };
  const paths = mapValues(document.paths, (item) =>
    mapValues(item, (operation) => ({
      ...operation,
      responses: Object.fromEntries(
        Object.entries(operation.responses).map(([status, response]) => [status, shorten(status, response)]),
      ),
    })),
  );
  return { ...document, paths, components: { ...document.components, responses: shared } };
}
