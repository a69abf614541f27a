import { copyValue, Float, RhaiArray, RhaiBlob, type Value } from "../../../rhai/index.ts";
import { pure, type SdkNamespace } from "../define.ts";
import { array, integer, wholeNumber } from "../params.ts";
import { SdkError } from "../sdk-error.ts";

const MAX_BYTES = 65_536;
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

const randomBytes = (length: number): Uint8Array<ArrayBuffer> =>
  crypto.getRandomValues(new Uint8Array(length));

function random64(): bigint {
  return new BigUint64Array(randomBytes(8).buffer)[0] ?? 0n;
}

/** Evenly from 0 to span - 1: numbers of the last, incomplete round are drawn again. */
function below(span: bigint): bigint {
  const rounds = 2n ** 64n - (2n ** 64n % span);
  for (;;) {
    const drawn = random64();
    if (drawn < rounds) return drawn % span;
  }
}

/** An i64 in the form that the language has it. */
const i64 = (value: bigint): Value =>
  value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;

export const random: SdkNamespace = {
  name: "random",
  doc: "Random values from the operating system's generator, fit for keys and tokens.",
  functions: [
    pure({
      name: "int",
      params: [wholeNumber("min"), wholeNumber("max")],
      returns: "int",
      doc: "An integer from min to max, both included.",
      example: { source: ["let n = random::int(1, 6);", "n >= 1 && n <= 6"].join("\n"), result: "true" },
      errors: [{ source: "random::int(2, 1)", message: "random::int: min (2) is greater than max (1)" }],
      call: (_, min, max) => {
        if (min > max) throw new SdkError(`min (${min}) is greater than max (${max})`);
        return i64(min + below(max - min + 1n));
      },
    }),
    pure({
      name: "float",
      params: [],
      returns: "float",
      doc: "A float from 0.0 up to, and without, 1.0.",
      example: { source: ["let x = random::float();", "x >= 0.0 && x < 1.0"].join("\n"), result: "true" },
      call: () => new Float(Number(random64() >> 11n) / 2 ** 53),
    }),
    pure({
      name: "bool",
      params: [],
      returns: "bool",
      doc: "true or false.",
      example: { source: "type_of(random::bool())", result: '"bool"' },
      call: () => below(2n) === 1n,
    }),
    pure({
      name: "bytes",
      params: [integer("count", { min: 0, max: MAX_BYTES })],
      returns: "blob",
      doc: `So many random bytes, at most ${MAX_BYTES}.`,
      example: { source: "random::bytes(16).len()", result: "16" },
      errors: [
        {
          source: "random::bytes(65537)",
          message: "random::bytes: count must be from 0 to 65536, not 65537",
        },
      ],
      call: ({ native }, count) => {
        native.allocate(count);
        return new RhaiBlob(randomBytes(count));
      },
    }),
    pure({
      name: "string",
      params: [integer("length", { min: 0, max: MAX_BYTES })],
      returns: "string",
      doc: `So many random letters (of either case) and digits, at most ${MAX_BYTES}.`,
      example: { source: "random::string(20).len()", result: "20" },
      errors: [
        { source: "random::string(-1)", message: "random::string: length must be from 0 to 65536, not -1" },
      ],
      call: ({ native }, length) => {
        native.charge(length);
        native.allocate(length);
        // 248 is the largest multiple of 62 that a byte holds; what is beyond is drawn again.
        let drawn = "";
        while (drawn.length < length) {
          for (const byte of randomBytes(length)) {
            if (byte < 248 && drawn.length < length) drawn += LETTERS[byte % 62];
          }
        }
        return drawn;
      },
    }),
    pure({
      name: "uuid",
      params: [],
      returns: "string",
      doc: "A UUID of version 4.",
      example: { source: "random::uuid().len()", result: "36" },
      call: () => crypto.randomUUID(),
    }),
    pure({
      name: "choice",
      params: [array("items")],
      returns: "any",
      doc: "One of the items. Throws when there are none.",
      example: {
        source: ['let colours = ["red", "green"];', "random::choice(colours) in colours"].join("\n"),
        result: "true",
      },
      errors: [{ source: "random::choice([])", message: "random::choice: items must not be empty" }],
      call: (_, { items }) => {
        if (items.length === 0) throw new SdkError("items must not be empty");
        return copyValue(items[Number(below(BigInt(items.length)))]);
      },
    }),
    pure({
      name: "shuffle",
      params: [array("items")],
      returns: "array",
      doc: "A new array with the items in random order.",
      example: {
        source: ["let drawn = random::shuffle([1, 2, 3]);", "drawn.sort();", "drawn"].join("\n"),
        result: "[1, 2, 3]",
      },
      call: ({ native }, { items }) => {
        native.charge(items.length);
        native.allocate(items.length * 8);
        const shuffled = items.map(copyValue);
        // Fisher-Yates.
        for (let last = shuffled.length - 1; last > 0; last--) {
          const other = Number(below(BigInt(last + 1)));
          [shuffled[last], shuffled[other]] = [shuffled[other], shuffled[last]];
        }
        return new RhaiArray(shuffled);
      },
    }),
  ],
};
