import { Char, Float, FnPtr, Range, RhaiArray, RhaiBlob, RhaiMap, type Value } from "../rhai/index.ts";

/** A value that JSON cannot hold. */
export class Unrepresentable {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

const MAX_DEPTH = 256;

/**
 * The JSON text of a value: floats keep their point (`1.0`), blobs are base64 text, () is null, keys are in order.
 * @param maxLength in UTF-16 units; shared containers can be far longer as text than in memory
 * @throws Unrepresentable for functions, ranges, NaN, infinities, native objects, too deep nesting, too much text
 */
export function writeJson(value: Value, maxLength: number): string {
  if (typeof value === "string") return JSON.stringify(value);
  const writer = new Writer(maxLength);
  writer.write(value, 0);
  return writer.text;
}

class Writer {
  text = "";
  readonly #maxLength: number;
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  write(value: Value, depth: number): void {
    if (this.text.length > this.#maxLength) {
      throw new Unrepresentable(`its JSON is longer than ${this.#maxLength} characters`);
    }
    switch (typeof value) {
      case "string":
        this.text += JSON.stringify(value);
        return;
      case "undefined":
        this.text += "null";
        return;
      case "object":
        this.#object(value, depth);
        return;
      default:
        this.text += String(value);
    }
  }

  #object(value: Value & object, depth: number): void {
    if (depth > MAX_DEPTH) throw new Unrepresentable(`it is nested more than ${MAX_DEPTH} levels deep`);
    if (value instanceof RhaiMap) this.#map(value, depth);
    else if (value instanceof RhaiArray) this.#array(value, depth);
    else if (value instanceof Float) this.text += floatText(value.value);
    else if (value instanceof Char) this.text += JSON.stringify(value.text);
    else if (value instanceof RhaiBlob) this.text += `"${Buffer.from(value.view()).toString("base64")}"`;
    else if (value instanceof FnPtr) throw new Unrepresentable("it holds a function");
    else if (value instanceof Range) throw new Unrepresentable("it holds a range");
    else throw new Unrepresentable(`it holds a ${value.typeName}`);
  }

  #array(value: RhaiArray, depth: number): void {
    let separator = "[";
    for (const item of value.items) {
      this.text += separator;
      separator = ",";
      this.write(item, depth + 1);
    }
    this.text += separator === "[" ? "[]" : "]";
  }

  #map(value: RhaiMap, depth: number): void {
    let separator = "{";
    const keys = [...value.entries.keys()];
    if (keys.length > 1) keys.sort();
    for (const key of keys) {
      this.text += `${separator}${JSON.stringify(key)}:`;
      separator = ",";
      this.write(value.entries.get(key), depth + 1);
    }
    this.text += separator === "{" ? "{}" : "}";
  }
}

function floatText(value: number): string {
  if (!Number.isFinite(value))
    throw new Unrepresentable(`it holds ${Number.isNaN(value) ? "NaN" : "an infinity"}`);
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) && Math.abs(value) < 1e16 ? `${value}.0` : String(value);
}
