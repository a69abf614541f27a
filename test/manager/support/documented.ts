import { loadConfig } from "../../../src/config.ts";
import type { ManagerContext } from "../../../src/manager/context.ts";
import { createApi, ROOT } from "../../../src/manager/manager.ts";
import { openApiDocument, type Operation } from "../../../src/manager/openapi/index.ts";
import type { Answer } from "./control-plane.ts";
import { faultsOf } from "./json-schema.ts";

/** The endpoints, without anything behind them: only their declarations are looked at. */
export const endpoints = createApi({ config: loadConfig({}, {}, false) } as ManagerContext).routes;
export const document = openApiDocument(endpoints, ROOT);

/** Answers that come before it is known which endpoint is meant. */
const BEFORE_ANY_ENDPOINT = new Set([400, 401, 403, 404, 429, 503]);

interface Documented {
  readonly method: string;
  readonly path: string;
  readonly pattern: RegExp;
  readonly operation: Operation;
}

const escape = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

const literal = (path: string): number => path.replaceAll(/\{\w+\}/g, "").length;

/** Those with more literal text first: `/scripts/{id}/versions/{version}:activate` before the same without a verb. */
const operations: readonly Documented[] = Object.entries(document.paths)
  .flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      pattern: new RegExp(
        `^${path
          .split(/\{\w+\}/)
          .map(escape)
          .join("[^/]+")}$`,
      ),
      operation,
    })),
  )
  .toSorted((a, b) => literal(b.path) - literal(a.path));

/** The operation that a request means. @param path whole, without a query */
export const operationFor = (method: string, path: string): Documented | undefined =>
  operations.find((candidate) => candidate.method === method && candidate.pattern.test(path));

/**
 * Compares an answer with the OpenAPI document: its status, content type, body and ETag.
 * @param path below /api/v1/admin, with its query
 * @throws Error that says how it differs
 */
export function checkDocumented(method: string, path: string, answer: Answer): void {
  const [whole = ""] = `${ROOT}${path}`.split(/[?#]/);
  const found = operationFor(method, whole);
  const wrong = (what: string): Error =>
    new Error(`${method} ${path} answered ${answer.status}: ${what}\n${answer.text.slice(0, 500)}`);
  if (found === undefined) {
    if (!BEFORE_ANY_ENDPOINT.has(answer.status)) throw wrong("no such operation is in the OpenAPI document");
    return;
  }
  // What a script answers is its own affair.
  if (answer.headers.has("x-execution-id")) return;
  const response = found.operation.responses[answer.status];
  if (response === undefined) throw wrong(`${found.method} ${found.path} does not declare this status`);
  const type = answer.headers.get("content-type")?.split(";")[0]?.trim() ?? "";
  const hasTag = answer.headers.has("etag");
  if (hasTag !== (response.headers?.["ETag"] !== undefined))
    throw wrong(hasTag ? "its ETag is not declared" : "the declared ETag is missing");
  if (response.content === undefined) {
    if (answer.text !== "") throw wrong("no body is declared");
    return;
  }
  const media = response.content[type];
  if (media === undefined) throw wrong(`the content type ${type} is not declared`);
  if (!type.endsWith("json") || type === "application/x-ndjson") return;
  const faults = faultsOf(answer.json, media.schema, resolve);
  if (faults.length > 0) throw wrong(`it does not fit its schema:\n${faults.slice(0, 10).join("\n")}`);
}

function resolve(ref: string): Readonly<Record<string, unknown>> {
  const schema = document.components.schemas[ref.replace("#/components/schemas/", "")];
  if (schema === undefined) throw new Error(`${ref} points nowhere`);
  return schema;
}
