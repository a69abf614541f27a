import { Entries } from "./entries.ts";

/**
 * How Rhai values look in JavaScript.
 *
 * | Rhai      | JavaScript                                                                       |
 * |-----------|----------------------------------------------------------------------------------|
 * | ()        | undefined                                                                        |
 * | bool      | boolean                                                                          |
 * | i64       | number while it is a safe integer (never -0), bigint beyond                      |
 * | f64       | Float, so that 1 and 1.0 differ                                                  |
 * | string    | string; well-formed, no lone surrogates                                          |
 * | char      | Char                                                                             |
 * | array, map, blob | RhaiArray, RhaiMap, RhaiBlob: value semantics by copy on write            |
 * | range, range=    | Range                                                                     |
 * | Fn        | FnPtr                                                                            |
 * | anything else    | a HostValue: an object of a native type                                   |
 *
 * OWNERSHIP. A container object belongs to exactly one place: one variable, one element, one property, or one
 * temporary. Whoever reads a place and stores what it read elsewhere calls `copyValue`, which is O(1): both sides
 * share the storage and drop `owned`; whoever writes first calls `writable()`, which clones one level (and copies,
 * lazily again, what is nested). So mutating through a place never shows anywhere else.
 */
export type Value =
  | undefined
  | boolean
  | number
  | bigint
  | string
  | Float
  | Char
  | RhaiArray
  | RhaiMap
  | RhaiBlob
  | Range
  | FnPtr
  | HostValue;

/** An f64. Immutable. */
export class Float {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** One Unicode scalar value. Immutable; make it with `charOf`. */
export class Char {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

const ASCII: readonly Char[] = Array.from({ length: 128 }, (_, code) => new Char(String.fromCharCode(code)));

/** The char of a string that holds exactly one scalar value. */
export function charOf(text: string): Char {
  return ASCII[text.length === 1 ? text.charCodeAt(0) : 128] ?? new Char(text);
}

/** How large a value is with all that is nested in it, in the units of the size limits. */
export interface Sizes {
  items: number;
  entries: number;
  /** Bytes of UTF-8, or no fewer than those unless `exact`. */
  text: number;
  exact: boolean;
}

/*
 * Fields of what is made often are set in the constructor: field initializers are a function of their own, which the
 * engine calls each time until the code is hot.
 */

/** Copies of fewer elements than this are not worth telling the run about. */
const METERED_COPY = 256;

/** Who hears of copies on write: the run that is under way. Several at a time share what the last one hears. */
export const copyMeter: { listener: { copied(elements: number): void } | null } = { listener: null };

/** Tags by the storage that carries them (`set_tag`). `tagged` is false as long as no script has set any. */
class StorageTags {
  readonly #tags = new WeakMap<object, number>();
  tagged = false;
  get(storage: object): number | undefined {
    return this.#tags.get(storage);
  }
  set(storage: object, tag: number): void {
    this.tagged = true;
    this.#tags.set(storage, tag);
  }
  /** A copy has the tag of what it was made from. */
  copied(from: object, to: object): void {
    const tag = this.#tags.get(from);
    if (tag !== undefined) this.#tags.set(to, tag);
  }
}

export const storageTags = new StorageTags();

export class RhaiArray {
  /** Read freely; write only what `writable()` returned. */
  items: Value[];
  owned: boolean;
  /** Changes until nested sizes are looked at again, see `Run.checkGrown`. */
  grace: number;
  /** Sizes with all that is nested, as far as they are known; forgotten when this storage is about to change. */
  measured: Sizes | null;
  constructor(items: Value[], owned = true) {
    this.items = items;
    this.owned = owned;
    this.grace = 0;
    this.measured = null;
  }
  copy(): RhaiArray {
    this.owned = false;
    return new RhaiArray(this.items, false);
  }
  /** The storage, made exclusively ours first. */
  writable(): Value[] {
    this.measured = null;
    if (!this.owned) {
      if (this.items.length > METERED_COPY) copyMeter.listener?.copied(this.items.length);
      const shared = this.items;
      this.items = shared.map(copyValue);
      if (storageTags.tagged) storageTags.copied(shared, this.items);
      this.owned = true;
    }
    return this.items;
  }
}

/** Keys are listed in the byte order of their UTF-8 form, whatever the order of insertion. */
export class RhaiMap {
  entries: Entries;
  owned: boolean;
  /** See RhaiArray. */
  grace: number;
  measured: Sizes | null;
  constructor(entries: Entries = new Entries(), owned = true) {
    this.entries = entries;
    this.owned = owned;
    this.grace = 0;
    this.measured = null;
  }
  /** A map of these entries, which become its own. */
  static of(entries: Map<string, Value>): RhaiMap {
    return new RhaiMap(Entries.of(entries));
  }
  copy(): RhaiMap {
    this.owned = false;
    return new RhaiMap(this.entries, false);
  }
  writable(): Entries {
    this.measured = null;
    if (!this.owned) {
      // An entry takes about eight times the memory of an element.
      if (this.entries.size > METERED_COPY / 8) copyMeter.listener?.copied(this.entries.size * 8);
      const clone = this.entries.clone(copyValue);
      if (storageTags.tagged) storageTags.copied(this.entries, clone);
      this.entries = clone;
      this.owned = true;
    }
    return this.entries;
  }
}

/** `bytes` may be longer than the blob: `length` counts. */
export class RhaiBlob {
  bytes: Uint8Array;
  length: number;
  owned: boolean;
  constructor(bytes: Uint8Array, length = bytes.length, owned = true) {
    this.bytes = bytes;
    this.length = length;
    this.owned = owned;
  }
  copy(): RhaiBlob {
    this.owned = false;
    return new RhaiBlob(this.bytes, this.length, false);
  }
  /** Exclusively ours, with room for at least `capacity` bytes. */
  writable(capacity = this.length): Uint8Array {
    if (!this.owned || this.bytes.length < capacity) {
      if (this.length > METERED_COPY * 8) copyMeter.listener?.copied(this.length >>> 3);
      const grown = new Uint8Array(Math.max(capacity, this.owned ? this.bytes.length * 2 : this.length));
      grown.set(this.bytes.subarray(0, this.length));
      if (storageTags.tagged) storageTags.copied(this.bytes, grown);
      this.bytes = grown;
      this.owned = true;
    }
    return this.bytes;
  }
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** `from..to`, or `from..=to` when inclusive. Immutable. */
export class Range {
  readonly from: number | bigint;
  readonly to: number | bigint;
  readonly inclusive: boolean;
  constructor(from: number | bigint, to: number | bigint, inclusive: boolean) {
    this.from = from;
    this.to = to;
    this.inclusive = inclusive;
  }
}

/**
 * A place that someone else must be able to change: a captured variable (it and every closure that captured it hold
 * the same cell), what `this` is bound to during a call, the target of a method. Serves natives as their `Ref`.
 */
export class Cell {
  value: Value;
  /** True once a closure has captured it (`is_shared`). */
  shared: boolean;
  /** True while a call holds the value by reference: touching it then is a data race. */
  locked: boolean;
  /** True when the value may not be changed through this cell. */
  constant: boolean;
  constructor(value: Value) {
    this.value = value;
    this.shared = false;
    this.locked = false;
    this.constant = false;
  }
  get(): Value {
    return this.value;
  }
  set(value: Value): void {
    this.value = value;
  }
}

/**
 * A function pointer. Immutable. `target` is the compiled function of a closure, null for one found by name. `linked`
 * only shows in the host's form of the latter (`Fn+`): the official parser makes it of `Fn("name")` itself.
 */
export class FnPtr {
  readonly name: string;
  readonly curried: readonly (Value | Cell)[];
  readonly target: CompiledFunction | null;
  readonly linked: boolean;
  constructor(
    name: string,
    curried: readonly (Value | Cell)[] = [],
    target: CompiledFunction | null = null,
    linked = target !== null,
  ) {
    this.name = name;
    this.curried = curried;
    this.target = target;
    this.linked = linked;
  }
}

/** What the code generator makes of one script function or closure; its calling convention is the compiler's own. */
export interface CompiledFunction {
  readonly name: string;
  /** Declared parameters, captured ones included (they come first). */
  readonly arity: number;
  readonly suspends: boolean;
  readonly code: (...args: never[]) => Value | Promise<Value>;
}

/** Base of all objects of native types (timestamps, iterators, service handles). */
export abstract class HostValue {
  /** What `type_of` answers. */
  abstract readonly typeName: string;
  /** What assigning it does; shared by reference unless overridden. */
  copy(): HostValue {
    return this;
  }
  /** What `print` shows. */
  display(): string {
    return this.typeName;
  }
  /** What `for x in value` goes through, or null when the type cannot be iterated over. May throw a RhaiError. */
  iterate(): Iterator<Value> | null {
    return null;
  }
}

/** The value as a second, independent place may hold it. O(1). */
export function copyValue(value: Value): Value {
  if (typeof value !== "object") return value;
  if (value instanceof RhaiArray || value instanceof RhaiMap || value instanceof RhaiBlob)
    return value.copy();
  return value instanceof HostValue ? value.copy() : value;
}
