import { COMPONENTS } from "./components.ts";

/** A schema of JSON Schema 2020-12, as OpenAPI 3.1 uses it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Names of the schemas that have one, by their JSON text. */
const NAMES: ReadonlyMap<string, string> = new Map(
  Object.entries(COMPONENTS).map(([name, schema]) => [JSON.stringify(schema), name]),
);

/** `#/components/schemas`. */
export const componentSchemas = (): Record<string, JsonSchema> =>
  Object.fromEntries(Object.entries(COMPONENTS).map(([name, schema]) => [name, members(schema)]));

/**
 * A TypeBox schema for others to read: schemas with a name become references, unions of constants become enumerations,
 * and what Elysia added to read numbers out of a query is left out.
 */
export function portable(schema: object): JsonSchema {
  const name = NAMES.get(JSON.stringify(schema));
  return name === undefined ? members(schema) : { $ref: `#/components/schemas/${name}` };
}

function members(schema: object): JsonSchema {
  // Entries leave out what TypeBox keeps under symbols.
  const { $id: _id, ...rest } = Object.fromEntries(Object.entries(schema)) as Record<string, unknown>;
  const { anyOf } = rest;
  if (Array.isArray(anyOf)) return union(rest, anyOf as object[]);
  return Object.fromEntries(
    Object.entries(rest).flatMap(([key, value]): [string, unknown][] => {
      switch (key) {
        case "properties":
          return [[key, mapValues(value as Record<string, object>, portable)]];
        case "items":
          return [[key, portable(value as object)]];
        case "patternProperties":
          return Object.values(value as Record<string, object>).map((any) => [
            "additionalProperties",
            portable(any),
          ]);
        default:
          return [[key, value]];
      }
    }),
  );
}

function union({ anyOf: _, ...rest }: Record<string, unknown>, options: readonly object[]): JsonSchema {
  const wanted = options.filter((option) => !readsText(option));
  const [first] = wanted;
  if (first !== undefined && wanted.length === 1) return { ...rest, ...portable(first) };
  const constants = wanted.map((option) => (option as { const?: unknown }).const);
  if (constants.every((constant) => typeof constant === "string"))
    return { ...rest, type: "string", enum: constants };
  const [one, other] = wanted.map(portable);
  // `string | null` and the like.
  if (
    wanted.length === 2 &&
    other?.["type"] === "null" &&
    typeof one?.["type"] === "string" &&
    !("enum" in one) &&
    !("const" in one)
  )
    return { ...rest, ...one, type: [one["type"], "null"] };
  return { ...rest, anyOf: wanted.map(portable) };
}

/** The half of `queryInteger`, and of Elysia's `t.Boolean`, that takes the text of a query. */
const readsText = (option: object): boolean => {
  const { type, format } = option as { type?: unknown; format?: unknown };
  return type === "string" && (format === "boolean" || /^integer\b/.test(String(format)));
};

export const mapValues = <T, U>(
  record: Readonly<Record<string, T>>,
  change: (value: T) => U,
): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
