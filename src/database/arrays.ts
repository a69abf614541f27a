/**
 * Arrays of the built-in types. The driver would ask each new connection's server for them: a query for nothing, and
 * one whose failure (the connection is cut just then) nobody can catch.
 */
type Element = string | number | bigint | boolean | Date | Uint8Array | null | object;

interface ArrayType {
  readonly to: number;
  readonly from: number[];
  readonly serialize: (values: unknown) => string;
  readonly parse: (text: string) => unknown[];
}

/** Object ids of pg_type, which never change: element, array, and how an element's text is read. */
const ELEMENTS: readonly (readonly [element: number, array: number, read: (text: string) => Element])[] = [
  [16, 1000, (text) => text === "t"],
  [17, 1001, (text) => Buffer.from(text.slice(2), "hex")],
  [20, 1016, (text) => parseInt8(text)],
  [21, 1005, Number],
  [23, 1007, Number],
  [25, 1009, (text) => text],
  [114, 199, (text) => JSON.parse(text) as object],
  [701, 1022, Number],
  [1043, 1015, (text) => text],
  [1184, 1185, (text) => new Date(text)],
  [1700, 1231, (text) => text],
  [2950, 2951, (text) => text],
  [3802, 3807, (text) => JSON.parse(text) as object],
];

/** For the driver's `types`. */
export const ARRAY_TYPES: Readonly<Record<string, ArrayType>> = Object.fromEntries(
  ELEMENTS.map(([, array, read]) => [
    `array${array}`,
    { to: array, from: [array], serialize: arrayLiteral, parse: (text: string) => parseArray(text, read) },
  ]),
);

/** For `sql.array(values, elementType)`. */
export const ARRAY_OF_ELEMENT: Readonly<Record<number, number>> = Object.fromEntries(
  ELEMENTS.map(([element, array]) => [element, array]),
);

/** A number while it is safe, a bigint beyond. */
export function parseInt8(text: string): number | bigint {
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : BigInt(text);
}

/** `{1,NULL,"a \"quoted\" text",{…}}` (PostgreSQL manual 8.15.2). */
export function arrayLiteral(values: unknown): string {
  // A literal that the caller has written.
  if (typeof values === "string") return values;
  if (!Array.isArray(values)) throw new TypeError("An array is needed for a parameter of an array type.");
  return `{${values.map(elementLiteral).join(",")}}`;
}

function elementLiteral(value: unknown): string {
  if (value === null) return "NULL";
  if (Array.isArray(value)) return arrayLiteral(value);
  return `"${elementText(value).replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

function elementText(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  if (value === undefined) throw new TypeError("An array parameter holds undefined; use null.");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Reads an array's text, nested ones included. `read` gets each element that is not NULL. */
export function parseArray(source: string, read: (text: string) => Element): unknown[] {
  // An array that does not begin at 1 says so first: [0:2]={…}.
  let at = source.indexOf("{");

  const list = (): unknown[] => {
    const items: unknown[] = [];
    at++;
    while (source[at] !== "}") {
      if (source[at] === ",") at++;
      items.push(source[at] === "{" ? list() : source[at] === '"' ? read(quoted()) : bare());
    }
    at++;
    return items;
  };
  const quoted = (): string => {
    let result = "";
    for (at++; source[at] !== '"'; at++) {
      if (source[at] === "\\") at++;
      result += source[at] ?? "";
    }
    at++;
    return result;
  };
  const bare = (): Element => {
    const start = at;
    while (source[at] !== "," && source[at] !== "}") at++;
    const word = source.slice(start, at);
    return word === "NULL" ? null : read(word);
  };
  return list();
}
