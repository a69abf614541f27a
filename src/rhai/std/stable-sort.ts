import type { Value } from "../runtime/values.ts";
import type { Eventual } from "./callbacks.ts";

/** Up to this length the official sort inserts one by one, which shows when a comparer contradicts itself. */
const SHORT = 20;

/** Answers a negative number when `a` belongs before `b`. */
export type Comparer = (a: Value, b: Value) => Eventual<number>;

/**
 * The elements in order. Stable, bounded by n log n comparisons whatever the comparer says. Synchronous as long as
 * the comparer is.
 */
export function stableSort(items: readonly Value[], compare: Comparer): Eventual<Value[]> {
  const sorting = steps(items.slice());
  let answer = 0;
  while (true) {
    const step = sorting.next(answer);
    if (step.done === true) return step.value;
    const order = compare(step.value[0], step.value[1]);
    if (order instanceof Promise) return resume(sorting, order, compare);
    answer = order;
  }
}

/** stableSort with a comparer that never suspends: the same comparisons in the same order, without generators. */
export function stableSortNow(items: readonly Value[], compare: (a: Value, b: Value) => number): Value[] {
  let from = items.slice();
  for (let start = 0; start < from.length; start += SHORT) {
    const end = Math.min(start + SHORT, from.length);
    for (let i = start + 1; i < end; i++) {
      const item = from[i];
      let gap = i;
      for (; gap > start && compare(item, from[gap - 1]) < 0; gap--) from[gap] = from[gap - 1];
      from[gap] = item;
    }
  }
  let to = new Array<Value>(from.length);
  for (let width = SHORT; width < from.length; width *= 2) {
    for (let start = 0; start < from.length; start += 2 * width) {
      const middle = Math.min(start + width, from.length);
      const end = Math.min(start + 2 * width, from.length);
      let left = start;
      let right = middle;
      for (let out = start; out < end; out++) {
        const takeRight = right < end && (left >= middle || compare(from[right], from[left]) < 0);
        to[out] = takeRight ? from[right++] : from[left++];
      }
    }
    [from, to] = [to, from];
  }
  return from;
}

type Sorting = Generator<readonly [Value, Value], Value[], number>;

async function resume(sorting: Sorting, first: Promise<number>, compare: Comparer): Promise<Value[]> {
  let answer = await first;
  while (true) {
    const step = sorting.next(answer);
    if (step.done === true) return step.value;
    const order = compare(step.value[0], step.value[1]);
    answer = order instanceof Promise ? await order : order;
  }
}

/** Yields the pairs whose order it needs; answers the sorted elements. */
function* steps(items: Value[]): Sorting {
  for (let start = 0; start < items.length; start += SHORT) {
    yield* insertionSort(items, start, Math.min(start + SHORT, items.length));
  }
  let from = items;
  let to = new Array<Value>(items.length);
  for (let width = SHORT; width < items.length; width *= 2) {
    for (let start = 0; start < items.length; start += 2 * width) {
      yield* merge(
        from,
        to,
        start,
        Math.min(start + width, items.length),
        Math.min(start + 2 * width, items.length),
      );
    }
    [from, to] = [to, from];
  }
  return from;
}

function* insertionSort(
  items: Value[],
  start: number,
  end: number,
): Generator<readonly [Value, Value], void, number> {
  for (let i = start + 1; i < end; i++) {
    const item = items[i];
    let gap = i;
    while (gap > start && (yield [item, items[gap - 1]]) < 0) {
      items[gap] = items[gap - 1];
      gap--;
    }
    items[gap] = item;
  }
}

function* merge(
  from: readonly Value[],
  to: Value[],
  start: number,
  middle: number,
  end: number,
): Generator<readonly [Value, Value], void, number> {
  let left = start;
  let right = middle;
  for (let out = start; out < end; out++) {
    const takeRight = right < end && (left >= middle || (yield [from[right], from[left]]) < 0);
    to[out] = takeRight ? from[right++] : from[left++];
  }
}
