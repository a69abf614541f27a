import { debugText, quote, toDebugValue } from "../runtime/format.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { sortedKeys } from "../runtime/text.ts";
import { Cell, FnPtr, RhaiArray, RhaiBlob, RhaiMap, type Value } from "../runtime/values.ts";
import { declare } from "./define.ts";
import { chargeItems, checkTextLength, textResult } from "./results.ts";

const mapNative = declare("map_basic");
const coreNative = declare("lang_core");

/** The function that turns a map into what is nearly JSON: chars in single quotes, NaN and ranges as they print. */
export const toJsonFunction: NativeFunction = mapNative(
  "to_json(map: map) -> string",
  "Writes the map as JSON.",
  (context: NativeContext, map: RhaiMap) => {
    const out: string[] = [];
    const budget = { length: 0 };
    write(context, map, out, budget);
    return textResult(context, out.join(""));
  },
);

/**
 * What reads JSON. `parseMapLiteral` parses and evaluates a text as the script parser does for the official
 * one: braces open map literals whose names must be quoted, `null` is (), and there are neither blocks, map signs
 * `#{` nor interpolated strings. It throws ErrorParsing with the position in the text.
 */
export function jsonFunctions(
  parseMapLiteral: (text: string, context: NativeContext) => Value,
): readonly NativeFunction[] {
  return [
    coreNative(
      "parse_json(json: string) -> any",
      "Reads an object from JSON.",
      (context: NativeContext, text: string) => {
        context.charge(text.length >>> 4);
        context.allocate(text.length * 4);
        return context.checkSize(parseMapLiteral(text, context));
      },
    ),
  ];
}

function write(context: NativeContext, value: Value, out: string[], budget: { length: number }): void {
  if (value instanceof RhaiMap) {
    chargeItems(context, value.entries.size);
    put(context, out, "{", budget);
    let first = true;
    for (const key of sortedKeys(value.entries)) {
      put(context, out, `${first ? "" : ","}${quote(key)}:`, budget);
      first = false;
      write(context, value.entries.get(key), out, budget);
    }
    put(context, out, "}", budget);
  } else if (value instanceof RhaiArray) {
    chargeItems(context, value.items.length);
    writeList(context, value.items, out, budget);
  } else if (value instanceof RhaiBlob) {
    checkTextLength(context, value.length);
    put(context, out, `[${value.view().join(",")}]`, budget);
  } else if (value instanceof FnPtr) {
    if (value.curried.length === 0) put(context, out, quote(value.name), budget);
    else writeList(context, [value.name, ...value.curried.map(plain)], out, budget);
  } else if (value === undefined) put(context, out, "null", budget);
  else put(context, out, typeof value === "string" ? debugText(value) : toDebugValue(value), budget);
}

function writeList(
  context: NativeContext,
  items: readonly Value[],
  out: string[],
  budget: { length: number },
): void {
  put(context, out, "[", budget);
  for (let i = 0; i < items.length; i++) {
    if (i > 0) put(context, out, ",", budget);
    write(context, items[i], out, budget);
  }
  put(context, out, "]", budget);
}

function put(context: NativeContext, out: string[], text: string, budget: { length: number }): void {
  out.push(text);
  budget.length += text.length;
  checkTextLength(context, budget.length);
}

function plain(value: Value | Cell): Value {
  return value instanceof Cell ? value.value : value;
}
