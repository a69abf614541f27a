import { RhaiError } from "../runtime/errors.ts";
import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { typeName } from "../runtime/type-name.ts";
import {
  Char,
  Float,
  FnPtr,
  HostValue,
  Range,
  RhaiArray,
  RhaiBlob,
  RhaiMap,
  type Value,
} from "../runtime/values.ts";
import { CHANGES, declare } from "./define.ts";
import { arithmeticError, writableBytes, writableEntries, writableItems } from "./results.ts";

/**
 * Tags: an integer of 32 bits that travels with a value. Containers keep it with their storage, so that copies have it
 * until they are changed; other objects with themselves. Integers, bools, strings and () are bare here and cannot carry
 * one, which is an error to try.
 */

const native = declare("lang_core");

const TAGS = new WeakMap<object, number>();

const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;

const READS = "Answers the tag of the value, 0 when it has none.";
const WRITES = "Tags the value with a number of 32 bits.";

export const tags: readonly NativeFunction[] = [
  native("tag(value: any) -> i64", READS, (_: NativeContext, value: Value) => tagOf(value)),
  native("get$tag(value: any) -> i64", READS, (_: NativeContext, value: Value) => tagOf(value)),
  native("set_tag(value: any, tag: i64) -> ()", WRITES, setTag, CHANGES),
  native("set$tag(value: any, tag: i64) -> ()", WRITES, setTag, CHANGES),
];

function tagOf(value: Value): number {
  return typeof value === "object" ? (TAGS.get(carrierOf(value)) ?? 0) : 0;
}

function setTag(context: NativeContext, target: Value | Ref, tag: Int): void {
  const size = tag < MIN ? "small" : tag > MAX ? "large" : null;
  if (size !== null) {
    throw arithmeticError(`${tag} is too ${size} to fit into a tag (must be between ${MIN} and ${MAX})`);
  }
  TAGS.set(ownCarrier(context, target), Number(tag));
}

/** What the tag hangs on. */
function carrierOf(value: object): object {
  if (value instanceof RhaiArray) return value.items;
  if (value instanceof RhaiMap) return value.entries;
  return value instanceof RhaiBlob ? value.bytes : value;
}

/** The same, made so that no other place shares it. */
function ownCarrier(context: NativeContext, target: Value | Ref): object {
  if (target instanceof RhaiArray) return writableItems(context, target);
  if (target instanceof RhaiMap) return writableEntries(context, target);
  if (target instanceof RhaiBlob) return writableBytes(context, target);
  if (target instanceof HostValue) return target;
  const place = target as Ref;
  const copy = cloneOf(place.get());
  place.set(copy);
  return copy;
}

function cloneOf(value: Value): Float | Char | Range | FnPtr {
  if (value instanceof Float) return new Float(value.value);
  if (value instanceof Char) return new Char(value.text);
  if (value instanceof Range) return new Range(value.from, value.to, value.inclusive);
  if (value instanceof FnPtr) return new FnPtr(value.name, value.curried, value.target);
  throw new RhaiError(
    "ErrorRuntime",
    `Runtime error: a value of type ${typeName(value)} cannot carry a tag here`,
  );
}
