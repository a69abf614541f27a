import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import { length, slice } from "../runtime/text.ts";
import type { Char, RhaiArray } from "../runtime/values.ts";
import { declare } from "./define.ts";
import { countOf } from "./occurrences.ts";
import { arrayResult, chargeUnits, checkLength } from "./results.ts";
import { words } from "./whitespace.ts";

const native = declare("string_more");

export const stringSplit: readonly NativeFunction[] = [
  native(
    "split(string: string) -> array",
    "Answers the words between white space.",
    (context: NativeContext, text: string) => {
      chargeUnits(context, text.length);
      return arrayResult(context, text === "" ? [""] : words(text));
    },
  ),
  native(
    "split(string: string, index: i64) -> array",
    "Answers the two parts before and after an index.",
    splitAt,
  ),
  ...["string", "char"].flatMap((type) => [
    native(
      `split(string: string, delimiter: ${type}) -> array`,
      "Answers the parts between delimiters.",
      (context: NativeContext, text: string, delimiter: string | Char) =>
        split(context, text, delimiter, Infinity, false),
    ),
    native(
      `split(string: string, delimiter: ${type}, segments: i64) -> array`,
      "Answers at most so many parts between delimiters; the last one holds the rest.",
      (context: NativeContext, text: string, delimiter: string | Char, most: Int) =>
        split(context, text, delimiter, Number(most), false),
    ),
    native(
      `split_rev(string: string, delimiter: ${type}) -> array`,
      "Answers the parts between delimiters, the last one first.",
      (context: NativeContext, text: string, delimiter: string | Char) =>
        split(context, text, delimiter, Infinity, true),
    ),
    native(
      `split_rev(string: string, delimiter: ${type}, segments: i64) -> array`,
      "Answers at most so many parts between delimiters, from the last on; the last answered holds the rest.",
      (context: NativeContext, text: string, delimiter: string | Char, most: Int) =>
        split(context, text, delimiter, Number(most), true),
    ),
  ]),
];

/** 0 counts from the end, as negative indices do. */
function splitAt(context: NativeContext, text: string, index: Int): RhaiArray {
  chargeUnits(context, text.length);
  const size = length(text);
  const position = index <= 0 ? Math.max(size + Number(index), 0) : Number(index);
  return arrayResult(context, [slice(text, 0, position), slice(text, position, Infinity)]);
}

/** An empty delimiter stands before, between and after all characters. */
function split(
  context: NativeContext,
  text: string,
  delimiter: string | Char,
  most: number,
  reversed: boolean,
): RhaiArray {
  chargeUnits(context, text.length);
  const sought = typeof delimiter === "string" ? delimiter : delimiter.text;
  if (text === "" || most <= 1) return arrayResult(context, [text]);
  checkLength(context, Math.min(countOf(text, sought) + 1, most));
  const parts = sought === "" ? ["", ...Array.from(text), ""] : text.split(sought);
  if (reversed) parts.reverse();
  if (parts.length > most) {
    const rest = parts.splice(most - 1);
    if (reversed) rest.reverse();
    parts.push(rest.join(sought));
  }
  return arrayResult(context, parts);
}
