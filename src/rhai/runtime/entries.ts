import type { Value } from "./values.ts";

/**
 * What a map holds. A small one is a record: each entry is a property of this very object under its key with `$` in
 * front, so that `map.name` in generated code is one cached load, and an entry takes a word. A larger one, and one that
 * loses entries or gets them under computed keys, keeps them in `table`.
 *
 * No key can meet a property of JavaScript: no other property begins with `$`, here or on the prototype, which
 * inherits from nothing.
 */
export class Entries {
  [property: `$${string}`]: Value;
  size: number;
  /** Null for a record. Where there is a table, properties that were in use before hold undefined. */
  table: Map<string, Value> | null;

  constructor(size = 0, table: Map<string, Value> | null = null) {
    this.size = size;
    this.table = table;
  }

  /** Takes the map over. */
  static of(map: Map<string, Value>): Entries {
    if (map.size > SMALL) return new Entries(map.size, map);
    const entries = new Entries(map.size);
    for (const [key, value] of map) entries[`$${key}`] = value;
    return entries;
  }

  get(key: string): Value {
    return this.table === null ? this[`$${key}`] : this.table.get(key);
  }

  has(key: string): boolean {
    if (this.table !== null) return this.table.has(key);
    return this.size > 0 && Object.hasOwn(this, `$${key}`);
  }

  /** Keys that a script computes may be many different ones, each of which would make objects of another shape. */
  set(key: string, value: Value): void {
    const { table } = this;
    if (table !== null) {
      table.set(key, value);
      this.size = table.size;
    } else if (this.has(key)) {
      this[`$${key}`] = value;
    } else {
      this.size = tableOf(this).set(key, value).size;
    }
  }

  /** `set` of a key that other maps are likely to have as well. */
  setUsual(key: string, value: Value): void {
    if (this.table !== null || this.size >= SMALL || Object.hasOwn(this, `$${key}`)) {
      this.set(key, value);
      return;
    }
    this.size += 1;
    this[`$${key}`] = value;
  }

  delete(key: string): void {
    if (!this.has(key)) return;
    const table = tableOf(this);
    table.delete(key);
    this.size = table.size;
  }

  /** In the order of insertion. */
  keys(): string[] {
    return this.table === null
      ? propertiesOf(this).map((name) => name.slice(1))
      : Array.from(this.table.keys());
  }

  values(): Iterable<Value> {
    return this.table === null ? propertiesOf(this).map((name) => this[name]) : this.table.values();
  }

  [Symbol.iterator](): Iterator<[string, Value]> {
    if (this.table !== null) return this.table[Symbol.iterator]();
    const pairs = propertiesOf(this).map((name): [string, Value] => [name.slice(1), this[name]]);
    return pairs.values();
  }

  /** The same entries in storage of their own, with each value as `copy` gives it. */
  clone(copy: (value: Value) => Value): Entries {
    const { table } = this;
    if (table !== null) {
      const cloned = new Map<string, Value>();
      for (const [key, value] of table) cloned.set(key, copy(value));
      return new Entries(cloned.size, cloned);
    }
    const clone = new Entries(this.size);
    for (const name in this) if (isProperty(name)) clone[name] = copy(this[name]);
    return clone;
  }
}

Object.setPrototypeOf(Entries.prototype, null);

/** Up to this many entries that a native or a JSON text gives are a record. */
export const SMALL = 8;

/** Up to this many entries of keys in the source are a record. More would make the engine give up caching. */
export const MOST_NAMED = 32;

const isProperty = (name: string): name is `$${string}` => name.startsWith("$");

function tableOf(entries: Entries): Map<string, Value> {
  if (entries.table !== null) return entries.table;
  const table = new Map<string, Value>();
  for (const name of propertiesOf(entries)) {
    table.set(name.slice(1), entries[name]);
    entries[name] = undefined;
  }
  entries.table = table;
  return table;
}

function propertiesOf(entries: Entries): `$${string}`[] {
  const names: `$${string}`[] = [];
  for (const name in entries) if (isProperty(name)) names.push(name);
  return names;
}
