import type { Ref } from "./native.ts";
import { typeName } from "./type-name.ts";
import { type Float, HostValue, type Value } from "./values.ts";

/** What cannot remember a tag by itself. */
export type Taggable = undefined | boolean | number | bigint | string | Float;

/**
 * A value with a tag on it. Only `set_tag` makes one: generated code knows nothing of it, its tests for numbers and
 * strings fail, and the slow ways that they lead to take the value out.
 */
export class Tagged extends HostValue {
  readonly value: Taggable;
  readonly tag: number;
  constructor(value: Taggable, tag: number) {
    super();
    this.value = value;
    this.tag = tag;
  }
  get typeName(): string {
    return typeName(this.value);
  }
}

/** The value without its tag. */
export const untagged = (value: Value): Value => (value instanceof Tagged ? value.value : value);

/** `value` with the tag that `old` had: what changes a value where it is leaves its tag. */
export const retagged = (old: Value, value: Value): Value =>
  old instanceof Tagged && !(value instanceof Tagged) ? new Tagged(value as Taggable, old.tag) : value;

/** The place of a tagged value for those who only know plain ones. */
export class TaggedPlace implements Ref {
  readonly #place: Ref;
  constructor(place: Ref) {
    this.#place = place;
  }
  get(): Value {
    return untagged(this.#place.get());
  }
  set(value: Value): void {
    this.#place.set(retagged(this.#place.get(), value));
  }
}
