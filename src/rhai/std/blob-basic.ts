import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction } from "../runtime/native.ts";
import type { Char, RhaiBlob, Value } from "../runtime/values.ts";
import { blobNumbers } from "./blob-numbers.ts";
import { blobSlices } from "./blob-slices.ts";
import { CHANGES, declare, withAliases, withGetter } from "./define.ts";
import { exactIndex, offset } from "./indexing.ts";
import {
  arrayResult,
  blobResult,
  chargeUnits,
  checkLength,
  textResult,
  tooLarge,
  writableBytes,
} from "./results.ts";

const native = declare("blob_basic");
const builtin = declare("builtin operator (evaluator)");

const bytewise: readonly NativeFunction[] = [
  native("blob() -> blob", "Makes an empty blob.", (context: NativeContext) =>
    blobResult(context, new Uint8Array(0)),
  ),
  native("blob(len: i64) -> blob", "Makes a blob of zeros.", (context: NativeContext, length: Int) =>
    filled(context, length, 0),
  ),
  native(
    "blob(len: i64, value: i64) -> blob",
    "Makes a blob of one value, of which the low 8 bits count.",
    filled,
  ),
  native("to_array(blob: blob) -> array", "Answers the bytes as integers.", toArray),
  native(
    "as_string(blob: blob) -> string",
    "Reads the bytes as UTF-8, with U+FFFD for what is not.",
    asString,
  ),
  ...withGetter(
    native(
      "len(blob: blob) -> i64",
      "Answers the number of bytes.",
      (_: NativeContext, blob: RhaiBlob) => blob.length,
    ),
  ),
  ...withGetter(
    native(
      "is_empty(blob: blob) -> bool",
      "Tells whether it has no bytes.",
      (_: NativeContext, blob: RhaiBlob) => blob.length === 0,
    ),
  ),
  native("contains(blob: blob, value: i64) -> bool", "Tells whether a byte has this value.", contains),
  native("get(blob: blob, index: i64) -> i64", "Answers a byte, or 0 past the end.", get),
  native(
    "set(blob: blob, index: i64, value: i64) -> ()",
    "Replaces a byte; does nothing past the end.",
    set,
    CHANGES,
  ),
  ...withAliases(
    native("push(blob: blob, value: i64) -> ()", "Adds a byte at the end.", push, CHANGES),
    "append",
    "+=",
  ),
  ...withAliases(
    native(
      "append(blob1: blob, blob2: blob) -> ()",
      "Adds the bytes of another blob at the end.",
      appendBlob,
      CHANGES,
    ),
    "+=",
  ),
  ...withAliases(
    native(
      "append(blob: blob, string: string) -> ()",
      "Adds a text at the end, as UTF-8.",
      appendText,
      CHANGES,
    ),
    "+=",
  ),
  ...withAliases(
    native(
      "append(blob: blob, character: char) -> ()",
      "Adds a character at the end, as UTF-8.",
      (context: NativeContext, blob: RhaiBlob, character: Char) => appendText(context, blob, character.text),
      CHANGES,
    ),
    "+=",
  ),
  builtin(
    "+(x: blob, y: blob) -> blob",
    "Answers the bytes of both in one.",
    (context: NativeContext, x: RhaiBlob, y: RhaiBlob) => joined(context, x, y.view()),
  ),
  builtin(
    "+(x: blob, y: char) -> blob",
    "Answers the bytes with a character added, as UTF-8.",
    (context: NativeContext, x: RhaiBlob, y: Char) => joined(context, x, Buffer.from(y.text, "utf8")),
  ),
  native(
    "insert(blob: blob, index: i64, value: i64) -> ()",
    "Puts a byte before the one at the index.",
    insert,
    CHANGES,
  ),
  native(
    "pad(blob: blob, len: i64, value: i64) -> ()",
    "Adds a byte until a length is reached.",
    pad,
    CHANGES,
  ),
  native("pop(blob: blob) -> i64", "Removes and answers the last byte, or answers 0.", pop, CHANGES),
  native(
    "shift(blob: blob) -> i64",
    "Removes and answers the first byte, or answers 0.",
    (context: NativeContext, blob: RhaiBlob) => remove(context, blob, 0),
    CHANGES,
  ),
  native(
    "remove(blob: blob, index: i64) -> i64",
    "Removes and answers a byte, or answers 0.",
    remove,
    CHANGES,
  ),
  native(
    "clear(blob: blob) -> ()",
    "Removes all bytes.",
    (_: NativeContext, blob: RhaiBlob) => truncateTo(blob, 0),
    CHANGES,
  ),
  native(
    "truncate(blob: blob, len: i64) -> ()",
    "Keeps only the first bytes.",
    (_: NativeContext, blob: RhaiBlob, length: Int) => truncateTo(blob, Number(length)),
    CHANGES,
  ),
  native("chop(blob: blob, len: i64) -> ()", "Keeps only the last bytes.", chop, CHANGES),
  native("reverse(blob: blob) -> ()", "Turns the order of the bytes round.", reverse, CHANGES),
];

/** All functions of the official blob package. */
export const blobBasic: readonly NativeFunction[] = [...bytewise, ...blobSlices, ...blobNumbers];

/** The low 8 bits of an integer. */
export function byteOf(value: Int): number {
  return typeof value === "number" ? value & 0xff : Number(value & 0xffn);
}

function filled(context: NativeContext, length: Int, value: Int): Value {
  const size = Math.max(Number(length), 0);
  checkLength(context, size);
  if (size > MAX_BYTES) throw tooLarge("Size of array/BLOB");
  return blobResult(context, new Uint8Array(size).fill(byteOf(value)));
}

/** What the engine can allocate at all. */
const MAX_BYTES = 2 ** 31;

function toArray(context: NativeContext, blob: RhaiBlob): Value {
  return arrayResult(context, Array.from(blob.view()));
}

function asString(context: NativeContext, blob: RhaiBlob): Value {
  return textResult(context, decode(blob));
}

/** The text that the bytes are in UTF-8, with U+FFFD for each part that is not. */
export function decode(blob: RhaiBlob): string {
  return UTF8.decode(blob.view());
}

const UTF8 = new TextDecoder("utf-8", { ignoreBOM: true });

function contains(context: NativeContext, blob: RhaiBlob, value: Int): boolean {
  chargeUnits(context, blob.length);
  return blob.view().includes(byteOf(value));
}

function get(_: NativeContext, blob: RhaiBlob, index: Int): Value {
  const at = offset(blob.length, index);
  return at < blob.length ? (blob.bytes[at] ?? 0) : 0;
}

function set(context: NativeContext, blob: RhaiBlob, index: Int, value: Int): void {
  const at = offset(blob.length, index);
  if (at < blob.length) writableBytes(context, blob)[at] = byteOf(value);
}

function push(context: NativeContext, blob: RhaiBlob, value: Int): void {
  checkLength(context, blob.length + 1);
  writableBytes(context, blob, blob.length + 1)[blob.length] = byteOf(value);
  blob.length += 1;
}

function appendBlob(context: NativeContext, blob: RhaiBlob, added: RhaiBlob): void {
  extend(context, blob, added.view());
}

function appendText(context: NativeContext, blob: RhaiBlob, text: string): void {
  extend(context, blob, Buffer.from(text, "utf8"));
}

/** Adds bytes at the end. */
export function extend(context: NativeContext, blob: RhaiBlob, added: Uint8Array): void {
  if (added.length === 0) return;
  const length = blob.length + added.length;
  checkLength(context, length);
  chargeUnits(context, added.length);
  writableBytes(context, blob, length).set(added, blob.length);
  blob.length = length;
}

function joined(context: NativeContext, blob: RhaiBlob, added: Uint8Array): Value {
  const length = blob.length + added.length;
  checkLength(context, length);
  const bytes = new Uint8Array(length);
  bytes.set(blob.view());
  bytes.set(added, blob.length);
  return blobResult(context, bytes);
}

function insert(context: NativeContext, blob: RhaiBlob, index: Int, value: Int): void {
  checkLength(context, blob.length + 1);
  const at = offset(blob.length, index);
  chargeUnits(context, blob.length);
  const bytes = writableBytes(context, blob, blob.length + 1);
  bytes.copyWithin(at + 1, at, blob.length);
  bytes[at] = byteOf(value);
  blob.length += 1;
}

function pad(context: NativeContext, blob: RhaiBlob, length: Int, value: Int): void {
  const size = Number(length);
  if (size <= 0) return;
  checkLength(context, size, "Size of BLOB");
  if (size <= blob.length) return;
  context.allocate(size - blob.length);
  writableBytes(context, blob, size).fill(byteOf(value), blob.length, size);
  blob.length = size;
}

function pop(context: NativeContext, blob: RhaiBlob): Value {
  return remove(context, blob, -1);
}

function remove(context: NativeContext, blob: RhaiBlob, index: Int): Value {
  const at = exactIndex(blob.length, index);
  if (at < 0) return 0;
  if (at === blob.length - 1) {
    const last = blob.bytes[at] ?? 0;
    blob.length = at;
    return last;
  }
  chargeUnits(context, blob.length);
  const bytes = writableBytes(context, blob);
  const removed = bytes[at] ?? 0;
  bytes.copyWithin(at, at + 1, blob.length);
  blob.length -= 1;
  return removed;
}

function truncateTo(blob: RhaiBlob, length: number): void {
  blob.length = Math.min(Math.max(length, 0), blob.length);
}

function chop(context: NativeContext, blob: RhaiBlob, length: Int): void {
  const kept = Math.max(Number(length), 0);
  if (kept >= blob.length) return;
  chargeUnits(context, blob.length);
  writableBytes(context, blob).copyWithin(0, blob.length - kept, blob.length);
  blob.length = kept;
}

function reverse(context: NativeContext, blob: RhaiBlob): void {
  chargeUnits(context, blob.length);
  writableBytes(context, blob);
  blob.view().reverse();
}
