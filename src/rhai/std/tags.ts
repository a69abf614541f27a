import type { Int } from "../runtime/int.ts";
import type { NativeContext, NativeFunction, Ref } from "../runtime/native.ts";
import { Tagged, type Taggable } from "../runtime/tagged.ts";
import {
  Char,
  FnPtr,
  HostValue,
  Range,
  RhaiArray,
  RhaiBlob,
  RhaiMap,
  storageTags,
  type Value,
} from "../runtime/values.ts";
import { CHANGES, declare, type Effects } from "./define.ts";
import { arithmeticError, writableBytes, writableEntries, writableItems } from "./results.ts";

/**
 * Tags: an integer of 32 bits that travels with a value. Containers keep it with their storage, other objects with
 * themselves; what is bare, or new after each operator, is wrapped (see Tagged).
 */

const native = declare("lang_core");

const MIN = -(2 ** 31);
const MAX = 2 ** 31 - 1;

/** Only what a native keeps comes with its tag. */
const RAW: Effects = { keeps: [0] };

const READS = "Answers the tag of the value, 0 when it has none.";
const WRITES = "Tags the value with a number of 32 bits.";

export const tags: readonly NativeFunction[] = [
  native("tag(value: any) -> i64", READS, readTag, RAW),
  native("get$tag(value: any) -> i64", READS, readTag, RAW),
  native("set_tag(value: any, tag: i64) -> ()", WRITES, setTag, CHANGES),
  native("set$tag(value: any, tag: i64) -> ()", WRITES, setTag, CHANGES),
];

function readTag(_: NativeContext, value: Value): number {
  if (value instanceof Tagged) return value.tag;
  return typeof value === "object" ? (storageTags.get(carrierOf(value)) ?? 0) : 0;
}

function setTag(context: NativeContext, target: Value | Ref, tag: Int): void {
  const size = tag < MIN ? "small" : tag > MAX ? "large" : null;
  if (size !== null) {
    throw arithmeticError(`${tag} is too ${size} to fit into a tag (must be between ${MIN} and ${MAX})`);
  }
  const carrier = ownCarrier(context, target);
  if (carrier !== null) storageTags.set(carrier, Number(tag));
  else {
    const place = target as Ref;
    place.set(new Tagged(place.get() as Taggable, Number(tag)));
  }
}

/** What the tag hangs on. */
function carrierOf(value: object): object {
  if (value instanceof RhaiArray) return value.items;
  if (value instanceof RhaiMap) return value.entries;
  return value instanceof RhaiBlob ? value.bytes : value;
}

/** The same, made so that no other place shares it; null for a value that must be wrapped. */
function ownCarrier(context: NativeContext, target: Value | Ref): object | null {
  if (target instanceof RhaiArray) return writableItems(context, target);
  if (target instanceof RhaiMap) return writableEntries(context, target);
  if (target instanceof RhaiBlob) return writableBytes(context, target);
  if (target instanceof HostValue) return target;
  const place = target as Ref;
  const copy = cloneOf(place.get());
  if (copy !== null) place.set(copy);
  return copy;
}

function cloneOf(value: Value): Char | Range | FnPtr | null {
  if (value instanceof Char) return new Char(value.text);
  if (value instanceof Range) return new Range(value.from, value.to, value.inclusive);
  return value instanceof FnPtr ? new FnPtr(value.name, value.curried, value.target, value.linked) : null;
}
