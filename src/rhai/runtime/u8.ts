import { HostValue } from "./values.ts";

/** One byte as the iteration over a blob yields it: a number type of its own, not mixed with i64. Immutable. */
export class U8 extends HostValue {
  override readonly typeName = "u8";
  readonly value: number;
  constructor(value: number) {
    super();
    this.value = value;
  }
  override display(): string {
    return String(this.value);
  }
}
