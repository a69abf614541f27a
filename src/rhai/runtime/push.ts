import type { Pos } from "../syntax/position.ts";
import { dataTooLarge } from "./faults.ts";
import { hasSize } from "./places.ts";
import type { Run } from "./run.ts";
import type { RhaiArray, Value } from "./values.ts";

/** Estimated bytes of an element. */
const ITEM_BYTES = 16;

/** `array.push(item)` as the standard library has it. */
export function push(run: Run, array: RhaiArray, item: Value, pos: Pos): undefined {
  const { maxArraySize } = run.limits;
  const { measured } = array;
  const length = array.items.length + 1;
  if (maxArraySize > 0 && length > maxArraySize) throw dataTooLarge("Size of array/BLOB", pos);
  run.callPos = pos;
  array.writable().push(item);
  run.allocate(ITEM_BYTES);
  if (!run.sized) return undefined;
  if (measured === null || hasSize(item)) run.checkGrown(array, pos);
  else {
    // What was counted is still true, but for the new element: nothing is counted again.
    measured.items += 1;
    if (maxArraySize > 0 && measured.items > maxArraySize) run.checkSizeAt(array, pos);
    else array.measured = measured;
  }
  return undefined;
}
