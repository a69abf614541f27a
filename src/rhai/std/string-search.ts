import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { indexOfOffset, length, offsetOf } from "../runtime/text.ts";
import type { Char } from "../runtime/values.ts";
import { declare } from "./define.ts";
import { chargeUnits } from "./results.ts";

const native = declare("string_more");

type Sought = string | Char;

const textOf = (value: Sought): string => (typeof value === "string" ? value : value.text);

export const stringSearch: readonly NativeFunction[] = ["string", "char"].flatMap((type) => [
  native(
    `contains(string: string, sought: ${type}) -> bool`,
    "Tells whether the text holds another.",
    (context: NativeContext, text: string, sought: Sought) => {
      chargeUnits(context, text.length);
      return text.includes(textOf(sought));
    },
  ),
  native(
    `starts_with(string: string, sought: ${type}) -> bool`,
    "Tells whether the text begins with another.",
    (_: NativeContext, text: string, sought: Sought) => text.startsWith(textOf(sought)),
  ),
  native(
    `ends_with(string: string, sought: ${type}) -> bool`,
    "Tells whether the text ends with another.",
    (_: NativeContext, text: string, sought: Sought) => text.endsWith(textOf(sought)),
  ),
  native(
    `index_of(string: string, sought: ${type}) -> i64`,
    "Answers where another text first begins, or -1.",
    (context: NativeContext, text: string, sought: Sought) => indexOf(context, text, sought, 0),
  ),
  native(
    `index_of(string: string, sought: ${type}, start: i64) -> i64`,
    "Answers where another text first begins at or after an index, or -1.",
    indexOf,
  ),
]);

/** Nothing is found in the empty text, not even the empty one. */
function indexOf(context: NativeContext, text: string, sought: Sought, start: Int): number {
  if (text === "") return -1;
  chargeUnits(context, text.length);
  let from = 0;
  if (start < 0) from = offsetOf(text, Math.max(length(text) + Number(start), 0));
  else if (start > 0) {
    if (start >= length(text)) return -1;
    from = offsetOf(text, Number(start));
  }
  const found = text.indexOf(textOf(sought), from);
  return found < 0 ? -1 : indexOfOffset(text, found);
}
