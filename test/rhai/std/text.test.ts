import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  at,
  byteLength,
  compareText,
  indexOfOffset,
  length,
  offsetOf,
  scalars,
  slice,
} from "../../../src/rhai/runtime/text.ts";

/** Short and long texts, with and without characters of two units. */
const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: "binary", minLength: 60, maxLength: 300 }),
  fc.string({ maxLength: 200 }),
);

describe("texts", () => {
  test("are sequences of scalar values", () => {
    fc.assert(
      fc.property(
        anyText,
        fc.integer({ min: -2, max: 320 }),
        fc.integer({ min: -2, max: 320 }),
        (text, from, to) => {
          const all = Array.from(text);
          expect(length(text)).toBe(all.length);
          expect(scalars(text)).toEqual(all);
          expect(at(text, from)).toBe(from < 0 ? undefined : all[from]);
          expect(slice(text, from, to)).toBe(all.slice(Math.max(from, 0), Math.max(to, 0)).join(""));
          const offset = offsetOf(text, Math.max(from, 0));
          expect(offset).toBe(all.slice(0, Math.max(from, 0)).join("").length);
          expect(indexOfOffset(text, offset)).toBe(Math.min(Math.max(from, 0), all.length));
          expect(byteLength(text)).toBe(new TextEncoder().encode(text).length);
        },
      ),
    );
  });

  test("are ordered by their UTF-8 bytes", () => {
    fc.assert(
      fc.property(anyText, anyText, (a, b) => {
        const expected = Buffer.compare(Buffer.from(a), Buffer.from(b));
        expect(Math.sign(compareText(a, b))).toBe(expected);
      }),
    );
  });

  test("answer single characters of long texts without looking through them each time", () => {
    const made = (tail: string): string => "abcdefghij".repeat(100_000) + tail;
    // Several at once that differ late must be as fast as one.
    const texts = [made("x"), made("y"), made("🐢"), made("🦀")];
    const equal = made("x");
    const began = performance.now();
    let found = 0;
    for (let i = 0; i < 250_000; i++) if (at(texts[0] ?? "", i) === "c") found++;
    for (let i = 0; i < 250_000; i++) if (at(equal, i) === "c") found++;
    expect(found).toBe(50_000);
    found = 0;
    for (const text of texts) for (let i = 0; i < 250_000; i++) if (at(text, i) === "c") found++;
    for (let i = 0; i < 250_000; i++) if (at(texts[i % 4] ?? "", i) === "c") found++;
    expect(found).toBe(125_000);
    expect(performance.now() - began).toBeLessThan(3000);
  });
});
