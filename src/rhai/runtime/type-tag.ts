import {
  Char,
  Float,
  FnPtr,
  type HostValue,
  Range,
  RhaiArray,
  RhaiBlob,
  RhaiMap,
  type Value,
} from "./values.ts";
import { Tagged } from "./tagged.ts";

/** Small integers for types, so that overloads are found without comparing names. 0 is `any`. */
export const ANY = 0;
const UNIT = 1;
const BOOL = 2;
const INT = 3;
const FLOAT = 4;
const STRING = 5;
const CHAR = 6;
const ARRAY = 7;
const MAP = 8;
const BLOB = 9;
const RANGE = 10;
const RANGE_INCLUSIVE = 11;
const FN = 12;
/** Of values that carry a tag, whatever they are; no native asks for it. */
export const TAGGED = 13;

const byName = new Map<string, number>([
  ["any", ANY],
  ["()", UNIT],
  ["bool", BOOL],
  ["i64", INT],
  ["f64", FLOAT],
  ["string", STRING],
  ["char", CHAR],
  ["array", ARRAY],
  ["map", MAP],
  ["blob", BLOB],
  ["range", RANGE],
  ["range=", RANGE_INCLUSIVE],
  ["Fn", FN],
  ["tagged value", TAGGED],
]);

/** The tag of a type by its name; native types get one when first seen. */
export function tagOfType(name: string): number {
  let tag = byName.get(name);
  if (tag === undefined) {
    tag = byName.size;
    byName.set(name, tag);
  }
  return tag;
}

/** The tag of a value's type. */
export function tagOf(value: Value): number {
  switch (typeof value) {
    case "number":
    case "bigint":
      return INT;
    case "string":
      return STRING;
    case "boolean":
      return BOOL;
    case "undefined":
      return UNIT;
    default:
      return tagOfObject(value);
  }
}

function tagOfObject(value: Exclude<Value, undefined | boolean | number | bigint | string>): number {
  if (value instanceof RhaiArray) return ARRAY;
  if (value instanceof RhaiMap) return MAP;
  if (value instanceof Float) return FLOAT;
  if (value instanceof Char) return CHAR;
  if (value instanceof FnPtr) return FN;
  if (value instanceof RhaiBlob) return BLOB;
  if (value instanceof Range) return value.inclusive ? RANGE_INCLUSIVE : RANGE;
  if (value instanceof Tagged) return TAGGED;
  const { typeName } = value as HostValue;
  const tag = tagOfType(typeName);
  // An iterator calls itself `range` too, but must not be taken where a range is asked for.
  return tag <= TAGGED ? tagOfType(`${typeName} object`) : tag;
}

/** Whether values of a type with this tag can be changed in place; of the others a native gets a `Ref`. */
export const isContainerTag = (tag: number): boolean =>
  tag === ARRAY || tag === MAP || tag === BLOB || tag > TAGGED;
