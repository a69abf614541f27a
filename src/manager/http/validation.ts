import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { invalid, type AppError } from "../../shared/errors.ts";

/** One thing that is wrong with a request. */
interface Fault {
  readonly field: string;
  readonly problem: string;
  readonly expected: string;
}

/** Faults told at most. */
const MAX_FAULTS = 20;

/**
 * What a client is told about a request that does not fit its schema: 422 `validation`, with every field at fault and
 * what is expected there. Values are not repeated, since one may be a password.
 * @param place `body`, `query` or `params`
 * @param errors as TypeBox gives them
 */
export function validationProblem(place: string, errors: Iterable<unknown>): AppError {
  const faults = new Map<string, Fault>();
  for (const entry of errors) {
    for (const inner of insideOf(entry as Found)) {
      const fault = faultOf(inner, place);
      if (!faults.has(fault.field) && faults.size < MAX_FAULTS) faults.set(fault.field, fault);
    }
  }
  const fields = [...faults.values()];
  const [first] = fields;
  if (first === undefined) return invalid("validation", "The request does not have the expected shape.");
  const more = fields.length > 1 ? ` (and ${fields.length - 1} more)` : "";
  const sentence = `${first.field}: ${first.problem}; expected ${first.expected}${more}.`;
  return invalid("validation", sentence, {
    details: { field: first.field, expected: first.expected, fields },
  });
}

/** Checks a body that Elysia does not, because the endpoint takes other bodies too. @throws AppError 422 */
export function checked<S extends TSchema>(schema: S, value: unknown): Static<S> {
  if (Value.Check(schema, value)) return value;
  throw validationProblem("body", Value.Errors(schema, value));
}

/** An error as TypeBox gives it. */
interface Found {
  readonly path?: string;
  readonly message?: string;
  readonly schema?: TSchema;
  readonly value?: unknown;
}

/** What is wrong inside of an object that may also be null, say, rather than that it is neither. */
function insideOf(error: Found): readonly Found[] {
  const { path = "", schema, value } = error;
  const options = (schema?.["anyOf"] ?? []) as readonly TSchema[];
  const objects = options.filter((option) => option["type"] === "object");
  const [only] = objects;
  if (only === undefined || objects.length > 1 || typeof value !== "object" || value === null) return [error];
  return [...Value.Errors(only, value)].map((inner) => ({ ...inner, path: path + inner.path }));
}

function faultOf({ path, message, schema, value }: Found, place: string): Fault {
  const field = (path ?? "").slice(1).replaceAll("/", ".") || place;
  if (message === "Unexpected property") {
    const names = Object.keys((schema?.["properties"] ?? {}) as object);
    const known = names.length === 0 ? `no ${place} at all` : `one of ${names.join(", ")}`;
    return { field, problem: place === "query" ? "unknown parameter" : "unknown field", expected: known };
  }
  const problem = value === undefined ? "missing" : "not acceptable";
  return { field, problem, expected: schema === undefined ? "something else" : describe(schema) };
}

/** A schema in words: `a whole number from 1 to 200`. */
export function describe(schema: TSchema): string {
  if (typeof schema.description === "string") return schema.description;
  if ("const" in schema) return JSON.stringify(schema["const"]);
  const options = schema["anyOf"] as readonly TSchema[] | undefined;
  if (options !== undefined) return [...new Set(options.map(describe))].join(" or ");
  switch (schema["type"]) {
    case "string":
      return `text${range(schema["minLength"], schema["maxLength"], " of", " characters")}`;
    case "integer":
      return `a whole number${range(schema["minimum"], schema["maximum"], "", "")}`;
    case "number":
      return `a number${range(schema["minimum"], schema["maximum"], "", "")}`;
    case "boolean":
      return "true or false";
    case "array":
      return "a list";
    case "object":
      return "an object";
    case "null":
      return "null";
    default:
      return "another value";
  }
}

function range(least: unknown, most: unknown, of: string, unit: string): string {
  if (typeof least === "number" && typeof most === "number")
    return `${of || " from"} ${least} to ${most}${unit}`;
  if (typeof least === "number") return `${of} at least ${least}${unit}`;
  if (typeof most === "number") return `${of} at most ${most}${unit}`;
  return "";
}
