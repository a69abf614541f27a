import { type Int, wrapInt } from "../runtime/int.ts";
import type { NativeFunction } from "../runtime/native.ts";
import { Float, type RhaiBlob, type Value } from "../runtime/values.ts";
import { type OnBytes, onBytes } from "./blob-slices.ts";
import { CHANGES } from "./define.ts";
import { part } from "./indexing.ts";
import { writableBytes } from "./results.ts";

/** Bytes of an i64 and of an f64. */
const WIDTH = 8;

/** Reading and writing numbers and texts in a blob. */
export const blobNumbers: readonly NativeFunction[] = [
  ...onBytes(
    "parse_le_int",
    "",
    "i64",
    "Reads an integer, lowest byte first.",
    parse((view) => wrapInt(view.getBigInt64(0, true))),
    {},
  ),
  ...onBytes(
    "parse_be_int",
    "",
    "i64",
    "Reads an integer, highest byte first; missing bytes count as zeros at the end.",
    parse((view) => wrapInt(view.getBigInt64(0, false))),
    {},
  ),
  ...onBytes("parse_le_float", "", "f64", "Reads a float, lowest byte first.", parseFloatBytes(true), {}),
  ...onBytes("parse_be_float", "", "f64", "Reads a float, highest byte first.", parseFloatBytes(false), {}),
  ...(["i64", "f64"] as const).flatMap((type) => [
    ...onBytes(
      "write_le",
      `, value: ${type}`,
      "()",
      "Writes a number, lowest byte first.",
      write(true),
      CHANGES,
    ),
    ...onBytes(
      "write_be",
      `, value: ${type}`,
      "()",
      "Writes a number, highest byte first.",
      write(false),
      CHANGES,
    ),
  ]),
  ...onBytes(
    "write_utf8",
    ", string: string",
    "()",
    "Writes a text as UTF-8, as far as it fits.",
    writeText(utf8Of),
    CHANGES,
  ),
  ...onBytes(
    "write_ascii",
    ", string: string",
    "()",
    "Writes the ASCII characters of a text, as far as they fit.",
    writeText(asciiOf),
    CHANGES,
  ),
];

/** Up to eight bytes of a part, with zeros after them; null when the part is empty. */
function numberView(blob: RhaiBlob, start: Int, count: Int): DataView | null {
  const chosen = part(blob.length, start, count);
  if (chosen.length === 0) return null;
  const bytes = new Uint8Array(WIDTH);
  bytes.set(blob.bytes.subarray(chosen.start, chosen.start + Math.min(chosen.length, WIDTH)));
  return new DataView(bytes.buffer);
}

function parse(read: (view: DataView) => Value): OnBytes {
  return (_, blob, start, count) => {
    const view = numberView(blob, start, count);
    return view === null ? 0 : read(view);
  };
}

function parseFloatBytes(littleEndian: boolean): OnBytes {
  return (_, blob, start, count) =>
    new Float(numberView(blob, start, count)?.getFloat64(0, littleEndian) ?? 0);
}

const NAN_BITS = 0xfff8_0000_0000_0000n;

/** When there is less room than eight bytes, the first ones are written. */
function write(littleEndian: boolean): OnBytes {
  return (context, blob, start, count, value) => {
    const view = new DataView(new ArrayBuffer(WIDTH));
    // What is no number has no certain sign here; arithmetic gives it this one on the usual processors.
    if (value instanceof Float && Number.isNaN(value.value)) view.setBigUint64(0, NAN_BITS, littleEndian);
    else if (value instanceof Float) view.setFloat64(0, value.value, littleEndian);
    else if (typeof value === "number" || typeof value === "bigint") {
      view.setBigInt64(0, BigInt(value), littleEndian);
    }
    const chosen = part(blob.length, start, count);
    if (chosen.length === 0) return undefined;
    const bytes = new Uint8Array(view.buffer, 0, Math.min(chosen.length, WIDTH));
    writableBytes(context, blob).set(bytes, chosen.start);
    return undefined;
  };
}

function utf8Of(text: Value): Uint8Array {
  return Buffer.from(String(text), "utf8");
}

function asciiOf(text: Value): Uint8Array {
  return Buffer.from(String(text).replace(/[^\0-\x7f]/g, ""), "latin1");
}

function writeText(encode: (text: Value) => Uint8Array): OnBytes {
  return (context, blob, start, count, value) => {
    const chosen = part(blob.length, start, count);
    const text = encode(value);
    if (chosen.length === 0 || text.length === 0) return undefined;
    writableBytes(context, blob).set(text.subarray(0, chosen.length), chosen.start);
    return undefined;
  };
}
