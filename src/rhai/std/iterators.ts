import { add, type Int } from "../runtime/int.ts";
import { RhaiError } from "../runtime/errors.ts";
import { inCall } from "../runtime/faults.ts";
import { NONE } from "../syntax/position.ts";
import { U8 } from "../runtime/u8.ts";
import { charOf, Float, HostValue, type Value } from "../runtime/values.ts";

/**
 * Values that only serve to be iterated over. The official interpreter calls the type of most `range`, and shows
 * the name of its own Rust type to its host.
 */
abstract class Sequence extends HostValue {
  override readonly typeName: string = "range";
  abstract readonly hostName: string;
  abstract override iterate(): Iterator<Value>;
}

/** The characters of a text, as `chars()` answers them. */
export class Chars extends Sequence {
  override readonly hostName = "rhai::packages::iter_basic::CharsStream";
  readonly text: string;
  constructor(text: string) {
    super();
    this.text = text;
  }
  override *iterate(): Iterator<Value> {
    for (const scalar of this.text) yield charOf(scalar);
  }
}

/** The bits of a number from the least significant on, as `bits()` answers them. */
export class Bits extends Sequence {
  override readonly hostName = "rhai::packages::iter_basic::BitRange";
  readonly value: bigint;
  readonly count: number;
  /** `count` bits of `value`, the lowest first. */
  constructor(value: bigint, count: number) {
    super();
    this.value = value;
    this.count = count;
  }
  override *iterate(): Iterator<Value> {
    for (let bit = 0; bit < this.count; bit++) yield ((this.value >> BigInt(bit)) & 1n) === 1n;
  }
}

/** Integers at equal distances, from `from` to before `to`, as `range(from, to, step)` answers them. */
export class IntSteps extends Sequence {
  override readonly hostName = "rhai::packages::iter_basic::StepRange<i64>";
  readonly from: Int;
  readonly to: Int;
  readonly step: Int;
  /** Throws the official error when the step is 0. */
  constructor(from: Int, to: Int, step: Int) {
    super();
    if (step === 0) throw zeroStep();
    this.from = from;
    this.to = to;
    this.step = step;
  }
  override *iterate(): Iterator<Value> {
    const up = this.step > 0;
    for (let at = this.from; up ? at < this.to : at > this.to;) {
      const next = after(at, this.step);
      // The number whose successor would not be an i64 is lost.
      if (next === null) return;
      yield at;
      at = next;
    }
  }
}

/** Floats found by adding a step again and again. */
export class FloatSteps extends Sequence {
  override readonly hostName = "rhai::packages::iter_basic::StepRange<f64>";
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** Throws the official error when the step makes no difference to the start. */
  constructor(from: number, to: number, step: number) {
    super();
    if (from + step === from) throw zeroStep();
    this.from = from;
    this.to = to;
    this.step = step;
  }
  override *iterate(): Iterator<Value> {
    const { to, step } = this;
    if (this.from < to && this.from + step > this.from) {
      for (let at = this.from; at < to; at += step) yield new Float(at);
    } else if (this.from > to && this.from + step < this.from) {
      for (let at = this.from; at > to; at += step) yield new Float(at);
    }
  }
}

/** Bytes at equal distances. */
export class ByteSteps extends Sequence {
  override readonly hostName = "rhai::packages::iter_basic::StepRange<u8>";
  readonly from: number;
  readonly to: number;
  readonly step: number;
  constructor(from: number, to: number, step: number) {
    super();
    if (step === 0) throw zeroStep();
    this.from = from;
    this.to = to;
    this.step = step;
  }
  override *iterate(): Iterator<Value> {
    for (let at = this.from; at < this.to && at + this.step <= 255; at += this.step) yield new U8(at);
  }
}

/** A range of bytes, which the language has no name for. */
export class ByteRange extends Sequence {
  override readonly typeName = "core::ops::range::Range<u8>";
  override readonly hostName = "core::ops::range::Range<u8>";
  readonly from: number;
  readonly to: number;
  constructor(from: number, to: number) {
    super();
    this.from = from;
    this.to = to;
  }
  override *iterate(): Iterator<Value> {
    for (let at = this.from; at < this.to; at++) yield new U8(at);
  }
}

function after(at: Int, step: Int): Int | null {
  try {
    return add(at, step);
  } catch {
    return null;
  }
}

function zeroStep(): RhaiError {
  return inCall(new RhaiError("ErrorArithmetic", "step value cannot be zero"), "range", NONE);
}
