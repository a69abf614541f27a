/** A source of chance that a seed repeats. */
export interface Chance {
  /** At least 0, below 1. */
  next(): number;
  /** From one to the other. */
  between(low: number, high: number): number;
  /** One of them, as often as its weight says. */
  pick<T extends string>(weights: Readonly<Record<T, number>>): T;
}

/** @param seed any integer (mulberry32, by Tommy Ettinger, public domain) */
export function chance(seed: number): Chance {
  let state = seed | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (low, high) => low + (high - low) * next(),
    pick(weights) {
      const entries = Object.entries<number>(weights);
      let rest = next() * entries.reduce((sum, [, weight]) => sum + weight, 0);
      for (const [name, weight] of entries) {
        rest -= weight;
        if (rest < 0) return name as keyof typeof weights;
      }
      throw new Error("nothing to pick from");
    },
  };
}
