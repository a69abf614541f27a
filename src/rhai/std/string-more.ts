import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { at, byteLength, compareText, length, scalars, slice } from "../runtime/text.ts";
import { Char, charOf, type RhaiBlob, type Value } from "../runtime/values.ts";
import { decode } from "./blob-basic.ts";
import { CHANGES, declare, withAliases, withGetter } from "./define.ts";
import { arrayResult, blobResult, chargeUnits, checkLength, textIn, textResult } from "./results.ts";
import { textOf } from "./string-basic.ts";
import { stringCase } from "./string-case.ts";
import { stringSearch } from "./string-search.ts";
import { stringSlices } from "./string-slices.ts";
import { stringSplit } from "./string-split.ts";
import { trim } from "./whitespace.ts";

const native = declare("string_more");
const builtin = declare("builtin operator (evaluator)");

const JOINS = "Answers one text made of both.";

const joining: readonly NativeFunction[] = [
  native(
    "+(string1: string, string2: string) -> string",
    JOINS,
    (context: NativeContext, a: string, b: string) => joined(context, a, b),
  ),
  native("+(string: string, item: any) -> string", JOINS, (context: NativeContext, a: string, b: Value) =>
    joined(context, a, textOf(context, b)),
  ),
  native("+(item: any, string: string) -> string", JOINS, (context: NativeContext, a: Value, b: string) =>
    joined(context, textOf(context, a), b),
  ),
  native("+(string: string, utf8: blob) -> string", JOINS, (context: NativeContext, a: string, b: RhaiBlob) =>
    joined(context, a, decode(b)),
  ),
  native("+(utf8: blob, string: string) -> string", JOINS, (context: NativeContext, a: RhaiBlob, b: string) =>
    joined(context, decode(a), b),
  ),
  builtin("+(x: char, y: char) -> string", JOINS, (_: NativeContext, a: Char, b: Char) => a.text + b.text),
  ...withAliases(
    native(
      "+=(string: string, item: any) -> ()",
      "Adds the text of a value at the end.",
      (context: NativeContext, place: Ref, item: Value) =>
        place.set(joined(context, textIn(place), textOf(context, item))),
      CHANGES,
    ),
    "append",
  ),
  ...withAliases(
    native(
      "+=(string: string, utf8: blob) -> ()",
      "Adds bytes, read as UTF-8, at the end.",
      (context: NativeContext, place: Ref, blob: RhaiBlob) =>
        place.set(joined(context, textIn(place), decode(blob))),
      CHANGES,
    ),
    "append",
  ),
  ...["char", "string"].map((type) =>
    builtin(
      `+=(x: char, y: ${type}) -> ()`,
      "Adds a text at the end, which makes the variable a string.",
      (context: NativeContext, place: Ref, added: Char | string) => {
        const text = plainText(added);
        if (text === "") return;
        const first = place.get();
        place.set(joined(context, first instanceof Char ? first.text : "", text));
      },
      CHANGES,
    ),
  ),
  ...["string", "char"].flatMap((type) => [
    builtin(
      `-(x: string, y: ${type}) -> string`,
      "Answers the text without any occurrence of the second.",
      (context: NativeContext, text: string, removed: string | Char) => difference(context, text, removed),
    ),
    builtin(
      `-=(x: string, y: ${type}) -> ()`,
      "Removes every occurrence of the second.",
      (context: NativeContext, place: Ref, removed: string | Char) =>
        place.set(difference(context, textIn(place), removed)),
      CHANGES,
    ),
    native(
      `remove(string: string, removed: ${type}) -> ()`,
      "Removes every occurrence of a text or character.",
      (context: NativeContext, place: Ref, removed: string | Char) =>
        place.set(without(context, textIn(place), removed)),
      CHANGES,
    ),
  ]),
];

const whole: readonly NativeFunction[] = [
  ...withGetter(
    native(
      "len(string: string) -> i64",
      "Answers the number of characters.",
      (context: NativeContext, text: string) => {
        chargeUnits(context, text.length);
        return length(text);
      },
    ),
  ),
  ...withGetter(
    native(
      "is_empty(string: string) -> bool",
      "Tells whether it has no characters.",
      (_: NativeContext, text: string) => text === "",
    ),
  ),
  ...withGetter(
    native(
      "bytes(string: string) -> i64",
      "Answers the number of bytes in UTF-8.",
      (context: NativeContext, text: string) => {
        chargeUnits(context, text.length);
        return byteLength(text);
      },
    ),
  ),
  native(
    "clear(string: string) -> ()",
    "Removes all characters.",
    (_: NativeContext, place: Ref) => place.set(""),
    CHANGES,
  ),
  native(
    "trim(string: string) -> ()",
    "Removes white space at both ends.",
    (context: NativeContext, place: Ref) => {
      chargeUnits(context, textIn(place).length);
      place.set(trim(textIn(place)));
    },
    CHANGES,
  ),
  native("pop(string: string) -> any", "Removes and answers the last character, or ().", pop, CHANGES),
  native(
    "pop(string: string, len: i64) -> string",
    "Removes and answers the last characters.",
    popSome,
    CHANGES,
  ),
  native(
    "get(string: string, index: i64) -> any",
    "Answers a character, or () when there is none.",
    (_: NativeContext, text: string, index: Int) => {
      const character = at(text, index < 0 ? length(text) + Number(index) : Number(index));
      return character === undefined ? undefined : charOf(character);
    },
  ),
  native(
    "set(string: string, index: i64, character: char) -> ()",
    "Replaces a character, if there is one.",
    set,
    CHANGES,
  ),
  native(
    "to_chars(string: string) -> array",
    "Answers all characters.",
    (context: NativeContext, text: string) => {
      checkLength(context, length(text));
      context.charge(text.length >>> 3);
      return arrayResult(context, scalars(text).map(charOf));
    },
  ),
  native(
    "to_blob(string: string) -> blob",
    "Answers the bytes in UTF-8.",
    (context: NativeContext, text: string) => blobResult(context, new Uint8Array(Buffer.from(text, "utf8"))),
  ),
  native(
    "max(string1: string, string2: string) -> string",
    "Answers the text that comes later in order.",
    (_: NativeContext, a: string, b: string) => (compareText(a, b) >= 0 ? a : b),
  ),
  native(
    "min(string1: string, string2: string) -> string",
    "Answers the text that comes first in order.",
    (_: NativeContext, a: string, b: string) => (compareText(a, b) <= 0 ? a : b),
  ),
  native(
    "max(char1: char, char2: char) -> char",
    "Answers the character with the larger number.",
    (_: NativeContext, a: Char, b: Char) => (compareText(a.text, b.text) >= 0 ? a : b),
  ),
  native(
    "min(char1: char, char2: char) -> char",
    "Answers the character with the smaller number.",
    (_: NativeContext, a: Char, b: Char) => (compareText(a.text, b.text) <= 0 ? a : b),
  ),
];

/** All functions of the official package of string functions. */
export const stringMore: readonly NativeFunction[] = [
  ...joining,
  ...whole,
  ...stringCase,
  ...stringSearch,
  ...stringSlices,
  ...stringSplit,
];

/** The text of a string or char. */
export function plainText(value: string | Char): string {
  return typeof value === "string" ? value : value.text;
}

function joined(context: NativeContext, a: string, b: string): string {
  if (a === "") return b;
  if (b === "") return a;
  return context.concat(a, b);
}

/** As in the official one, a text less the empty text is that text, but the empty text less another is the other. */
function difference(context: NativeContext, text: string, removed: string | Char): string {
  return text === "" && typeof removed === "string" ? removed : without(context, text, removed);
}

function without(context: NativeContext, text: string, removed: string | Char): string {
  chargeUnits(context, text.length);
  const part = plainText(removed);
  return part === "" ? text : text.replaceAll(part, "");
}

function pop(_: NativeContext, place: Ref): Value {
  const text = textIn(place);
  if (text === "") return undefined;
  const unit = text.charCodeAt(text.length - 1);
  const cut = text.length - (unit >= 0xdc00 && unit <= 0xdfff ? 2 : 1);
  place.set(text.slice(0, cut));
  return charOf(text.slice(cut));
}

function popSome(context: NativeContext, place: Ref, count: Int): Value {
  const text = textIn(place);
  if (count <= 0) return "";
  const kept = Math.max(length(text) - Number(count), 0);
  const removed = slice(text, kept, Infinity);
  place.set(slice(text, 0, kept));
  return textResult(context, removed);
}

function set(context: NativeContext, place: Ref, index: Int, character: Char): void {
  const text = textIn(place);
  const position = index < 0 ? length(text) + Number(index) : Number(index);
  if (at(text, position) === undefined) return;
  const changed = slice(text, 0, position) + character.text + slice(text, position + 1, Infinity);
  place.set(textResult(context, changed));
}
