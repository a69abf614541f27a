import { debugText, display } from "../runtime/format.ts";
import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import type { Char, Value } from "../runtime/values.ts";
import { declare } from "./define.ts";
import { textResult } from "./results.ts";

const native = declare("string_basic");

const WRITTEN: readonly (readonly [name: string, radix: number])[] = [
  ["to_hex", 16],
  ["to_octal", 8],
  ["to_binary", 2],
];

export const stringBasic: readonly NativeFunction[] = [
  native("print() -> string", "Answers the empty text.", () => ""),
  native("debug() -> string", "Answers the empty text.", () => ""),
  ...["print", "to_string"].map((name) =>
    native(
      `${name}(item: any) -> string`,
      "Answers the value as a text for people.",
      (context: NativeContext, value: Value) => (typeof value === "string" ? value : textOf(context, value)),
    ),
  ),
  ...["debug", "to_debug"].map((name) =>
    native(
      `${name}(item: any) -> string`,
      "Answers the value as a text for programmers.",
      (context: NativeContext, value: Value) =>
        textResult(context, debugText(value, context.limits.maxStringSize)),
    ),
  ),
  ...WRITTEN.map(([name, radix]) =>
    native(
      `${name}(value: i64) -> string`,
      `Writes the number in base ${radix}, negative ones in 64 bits.`,
      (_: NativeContext, value: Int) =>
        (value < 0 ? BigInt.asUintN(64, BigInt(value)) : value).toString(radix),
    ),
  ),
  native(
    "to_int(ch: char) -> i64",
    "Answers the number of the character in Unicode.",
    (_: NativeContext, character: Char) => character.text.codePointAt(0) ?? 0,
  ),
];

/** The text of a value as `print` and string concatenation show it, within the limit of strings. */
export function textOf(context: NativeContext, value: Value): string {
  if (typeof value !== "object") return display(value);
  return textResult(context, display(value, context.limits.maxStringSize));
}
