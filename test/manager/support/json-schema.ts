type Schema = Readonly<Record<string, unknown>>;

/** Keywords that only describe. */
const NOTES = new Set(["description", "default", "format", "title"]);

/**
 * Where a value differs from a schema: JSON Schema 2020-12, as far as PiCloud's OpenAPI document uses it. A keyword that
 * is not known here is an error, so that nothing goes unchecked.
 * @param resolve finds what a `$ref` points to
 * @returns one line for each fault; none: the value fits
 */
export function faultsOf(
  value: unknown,
  schema: Schema,
  resolve: (ref: string) => Schema,
  at = "$",
): string[] {
  const faults: string[] = [];
  const fault = (what: string): void => void faults.push(`${at}: ${what}`);
  for (const [keyword, wanted] of Object.entries(schema)) {
    if (NOTES.has(keyword)) continue;
    switch (keyword) {
      case "$ref":
        faults.push(...faultsOf(value, resolve(wanted as string), resolve, at));
        break;
      case "type":
        if (![wanted].flat().some((type) => isOf(type as string, value)))
          fault(`${JSON.stringify(value)} is not of type ${[wanted].flat().join(" or ")}`);
        break;
      case "const":
        if (value !== wanted) fault(`${JSON.stringify(value)} is not ${JSON.stringify(wanted)}`);
        break;
      case "enum":
        if (!(wanted as unknown[]).includes(value))
          fault(`${JSON.stringify(value)} is none of ${JSON.stringify(wanted)}`);
        break;
      case "anyOf":
        if (!(wanted as Schema[]).some((option) => faultsOf(value, option, resolve, at).length === 0))
          fault(`${JSON.stringify(value)?.slice(0, 200)} fits none of the alternatives`);
        break;
      case "properties":
        if (!isObject(value)) break;
        for (const [name, member] of Object.entries(wanted as Record<string, Schema>)) {
          if (Object.hasOwn(value, name))
            faults.push(...faultsOf(value[name], member, resolve, `${at}.${name}`));
        }
        break;
      case "required":
        if (!isObject(value)) break;
        for (const name of wanted as string[]) if (!Object.hasOwn(value, name)) fault(`${name} is missing`);
        break;
      case "additionalProperties":
        if (!isObject(value)) break;
        for (const [name, member] of Object.entries(value)) {
          if (Object.hasOwn((schema["properties"] ?? {}) as object, name)) continue;
          if (wanted === false) fault(`${name} is not declared`);
          else if (wanted !== true)
            faults.push(...faultsOf(member, wanted as Schema, resolve, `${at}.${name}`));
        }
        break;
      case "items":
        if (!Array.isArray(value)) break;
        for (const [index, item] of value.entries())
          faults.push(...faultsOf(item, wanted as Schema, resolve, `${at}[${index}]`));
        break;
      case "minLength":
        if (typeof value === "string" && [...value].length < (wanted as number)) fault("too short");
        break;
      case "maxLength":
        if (typeof value === "string" && [...value].length > (wanted as number)) fault("too long");
        break;
      case "pattern":
        if (typeof value === "string" && !new RegExp(wanted as string, "u").test(value))
          fault(`not ${String(wanted)}`);
        break;
      case "minimum":
        if (typeof value === "number" && value < (wanted as number)) fault("too small");
        break;
      case "maximum":
        if (typeof value === "number" && value > (wanted as number)) fault("too large");
        break;
      case "minItems":
        if (Array.isArray(value) && value.length < (wanted as number)) fault("too few items");
        break;
      case "maxItems":
        if (Array.isArray(value) && value.length > (wanted as number)) fault("too many items");
        break;
      case "uniqueItems":
        if (Array.isArray(value) && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
          fault("an item twice");
        break;
      default:
        throw new Error(`the keyword ${keyword} is not known to this checker`);
    }
  }
  return faults;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case "object":
      return isObject(value);
    case "array":
      return Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    case "null":
      return value === null;
    default:
      return typeof value === type;
  }
}
