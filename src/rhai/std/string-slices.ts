import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { byteLength, length, slice } from "../runtime/text.ts";
import type { Char, Range } from "../runtime/values.ts";
import { CHANGES, declare } from "./define.ts";
import { offset, rangePart } from "./indexing.ts";
import { countOf } from "./occurrences.ts";
import { chargeUnits, checkTextLength, textIn, textResult } from "./results.ts";

const native = declare("string_more");

const RANGE_TYPES = ["range", "range="] as const;

export const stringSlices: readonly NativeFunction[] = [
  native(
    "sub_string(string: string, start: i64, len: i64) -> string",
    "Answers some characters from an index on.",
    subString,
  ),
  native(
    "sub_string(string: string, start: i64) -> string",
    "Answers the characters from an index on.",
    (context: NativeContext, text: string, start: Int) => subString(context, text, start, text.length),
  ),
  ...RANGE_TYPES.map((type) =>
    native(
      `sub_string(string: string, range: ${type}) -> string`,
      "Answers the characters of a range.",
      (context: NativeContext, text: string, range: Range) => {
        const { start, count } = rangePart(range);
        return subString(context, text, start, count);
      },
    ),
  ),
  native(
    "crop(string: string, start: i64, len: i64) -> ()",
    "Keeps only some characters from an index on.",
    crop,
    CHANGES,
  ),
  native(
    "crop(string: string, start: i64) -> ()",
    "Keeps only the characters from an index on.",
    (context: NativeContext, place: Ref, start: Int) => crop(context, place, start, textIn(place).length),
    CHANGES,
  ),
  ...RANGE_TYPES.map((type) =>
    native(
      `crop(string: string, range: ${type}) -> ()`,
      "Keeps only the characters of a range.",
      (context: NativeContext, place: Ref, range: Range) => {
        const { start, count } = rangePart(range);
        crop(context, place, start, count);
      },
      CHANGES,
    ),
  ),
  native(
    "truncate(string: string, len: i64) -> ()",
    "Keeps only the first characters.",
    (context: NativeContext, place: Ref, count: Int) => crop(context, place, 0, count),
    CHANGES,
  ),
  ...["string", "char"].flatMap((find) =>
    ["string", "char"].map((substitute) =>
      native(
        `replace(string: string, find: ${find}, substitute: ${substitute}) -> ()`,
        "Replaces every occurrence of one text by another.",
        replace,
        CHANGES,
      ),
    ),
  ),
  ...["char", "string"].map((type) =>
    native(
      `pad(string: string, len: i64, padding: ${type}) -> ()`,
      "Adds a text again and again up to a length.",
      pad,
      CHANGES,
    ),
  ),
];

function subString(context: NativeContext, text: string, start: Int, count: Int): string {
  if (text === "" || count <= 0) return "";
  chargeUnits(context, text.length);
  const from = offset(length(text), start);
  return textResult(context, slice(text, from, from + Number(count)));
}

function crop(context: NativeContext, place: Ref, start: Int, count: Int): void {
  place.set(subString(context, textIn(place), start, count));
}

function replace(context: NativeContext, place: Ref, find: string | Char, substitute: string | Char): void {
  const text = textIn(place);
  if (text === "") return;
  chargeUnits(context, text.length);
  const sought = typeof find === "string" ? find : find.text;
  const replacement = typeof substitute === "string" ? substitute : substitute.text;
  const occurrences = countOf(text, sought);
  checkTextLength(context, text.length + occurrences * (replacement.length - sought.length));
  // Dollar signs mean something to the engine in a replacement.
  const changed =
    sought === ""
      ? replacement + Array.from(text).join(replacement) + replacement
      : text.replaceAll(sought, replacement.replaceAll("$", "$$$$"));
  place.set(textResult(context, changed));
}

/** The last repetition is cut so that the length is met. */
function pad(context: NativeContext, place: Ref, size: Int, padding: string | Char): void {
  if (size <= 0) return;
  checkTextLength(context, Number(size));
  const text = textIn(place);
  const missing = Number(size) - length(text);
  const filler = typeof padding === "string" ? padding : padding.text;
  if (missing <= 0 || filler === "") return;
  const width = length(filler);
  const repeats = Math.floor(missing / width);
  checkTextLength(context, byteLength(text) + repeats * byteLength(filler));
  place.set(textResult(context, text + filler.repeat(repeats) + slice(filler, 0, missing % width)));
}
