import { describe, expect, test } from "bun:test";
import { standardLibrary } from "../../../src/rhai/std/index.ts";
import functions from "../functions.json" with { type: "json" };

interface Entry {
  readonly name: string;
  readonly kind: string;
  readonly params: readonly string[];
  readonly package: string;
  readonly pure?: boolean;
  readonly reachable: boolean;
}

/** Done by the engine, which alone knows the script: syntax, keyword functions, function metadata, the parser. */
const BY_THE_ENGINE = new Set(["get_fn_metadata_list", "parse_json", "in"]);

/** Listed as reachable, but a script has no way to make a range of floats. */
const WITHOUT_VALUES = new Set(["range(Range<f64>,f64)"]);

/** Assignments that the engine makes of the operator and a plain assignment. */
const ASSIGNED_FROM_OPERATOR = /^[-+]=\(timestamp,|^\+=\(string,\(\)\)/;

const ours = (functions as Entry[]).filter(
  (entry) =>
    entry.reachable &&
    !entry.package.startsWith("language (evaluator)") &&
    entry.kind !== "iterator" &&
    !BY_THE_ENGINE.has(entry.name),
);

function nameOf(entry: Entry): string {
  if (entry.kind === "getter") return `get$${entry.name}`;
  return entry.kind === "setter" ? `set$${entry.name}` : entry.name;
}

function typeOf(param: string): string {
  if (param === "?") return "any";
  if (param === "Range<i64>") return "range";
  if (param === "RangeInclusive<i64>") return "range=";
  return param === "Range<u8>" ? "core::ops::range::Range<u8>" : param;
}

function overloadFor(entry: Entry) {
  const types = entry.params.map(typeOf);
  const named = standardLibrary.filter(
    (native) => native.name === nameOf(entry) && native.params.length === types.length,
  );
  const fits = (exact: boolean) =>
    named.find((native) => native.params.every((type, i) => type === types[i] || (!exact && type === "any")));
  return fits(true) ?? fits(false);
}

describe("the standard library", () => {
  test("has every function, operator and property that a script can reach", () => {
    const missing = ours
      .map((entry) => ({ entry, signature: `${nameOf(entry)}(${entry.params.join(",")})` }))
      .filter(({ signature }) => !WITHOUT_VALUES.has(signature) && !ASSIGNED_FROM_OPERATOR.test(signature))
      .filter(({ entry }) => overloadFor(entry) === undefined)
      .map(({ signature }) => signature);
    expect(missing).toEqual([]);
  });

  test("refuses constants exactly where the official one does", () => {
    const different = ours
      .map((entry) => ({ entry, native: overloadFor(entry) }))
      .filter(
        ({ entry, native }) => native !== undefined && entry.pure !== undefined && native.pure !== entry.pure,
      )
      .filter(({ entry }) => !(entry.name === "+=" && entry.params[1] === "char"))
      .map(({ entry }) => `${nameOf(entry)}(${entry.params.join(",")}) is pure: ${entry.pure}`);
    expect(different).toEqual([]);
  });

  test("describes every function", () => {
    const bare = standardLibrary.filter(
      (native) =>
        !native.doc?.endsWith(".") ||
        native.package === undefined ||
        native.paramNames?.length !== native.params.length,
    );
    expect(bare.map((native) => native.name)).toEqual([]);
  });

  test("has no two overloads with the same signature", () => {
    const signatures = standardLibrary.map((native) => `${native.name}(${native.params.join(",")})`);
    expect(signatures.filter((signature, i) => signatures.indexOf(signature) !== i)).toEqual([]);
  });
});
