import { expect, test } from "bun:test";
import fc from "fast-check";
import { shown } from "./run.ts";

/**
 * Random programs over variables that hold nested arrays and maps, against a model that copies everything at each
 * assignment. Aliasing would show as a change in a variable that was not named.
 */

type Model = number | Model[] | { [key: string]: Model };

const clone = (value: Model): Model => structuredClone(value);

const NAMES = ["a", "b", "c"] as const;
type Name = (typeof NAMES)[number];
type State = Record<Name, Model>;

interface Step {
  readonly source: string;
  readonly apply: (state: State) => void;
}

const name = fc.constantFrom(...NAMES);
const index = fc.integer({ min: 0, max: 3 });
const key = fc.constantFrom("x", "y", "z");

const asArray = (value: Model | undefined): Model[] | null => (Array.isArray(value) ? value : null);
const asMap = (value: Model | undefined): { [key: string]: Model } | null =>
  typeof value === "object" && !Array.isArray(value) ? value : null;

/** Every step is guarded, so that it is valid whatever the variables hold. */
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(name, name).map(([to, from]) => ({
    source: `${to} = ${from};`,
    apply: (state: State) => {
      state[to] = clone(state[from]);
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `if type_of(${to}) == "array" && ${to}.len < 6 { ${to}.push(${from}); }`,
    apply: (state: State) => {
      const array = asArray(state[to]);
      if (array !== null && array.length < 6) array.push(clone(state[from]));
    },
  })),
  fc.tuple(name, index, name).map(([to, at, from]) => ({
    source: `if type_of(${to}) == "array" && ${to}.len > ${at} { ${to}[${at}] = ${from}; }`,
    apply: (state: State) => {
      const array = asArray(state[to]);
      if (array !== null && array.length > at) array[at] = clone(state[from]);
    },
  })),
  fc.tuple(name, index, name).map(([to, at, from]) => ({
    source: `if type_of(${from}) == "array" && ${from}.len > ${at} { ${to} = ${from}[${at}]; }`,
    apply: (state: State) => {
      const item = asArray(state[from])?.[at];
      if (item !== undefined) state[to] = clone(item);
    },
  })),
  fc.tuple(name, key, name).map(([to, at, from]) => ({
    source: `if type_of(${to}) == "map" { ${to}.${at} = ${from}; }`,
    apply: (state: State) => {
      const map = asMap(state[to]);
      if (map !== null) map[at] = clone(state[from]);
    },
  })),
  fc.tuple(name, key, fc.integer({ min: 0, max: 9 })).map(([to, at, value]) => ({
    source: `if type_of(${to}) == "map" && type_of(${to}.${at}) == "array" { ${to}.${at}.push(${value}); }`,
    apply: (state: State) => asArray(asMap(state[to])?.[at])?.push(value),
  })),
  fc.tuple(name, index, key, fc.integer({ min: 0, max: 9 })).map(([to, at, property, value]) => ({
    source: `if type_of(${to}) == "array" && ${to}.len > ${at} && type_of(${to}[${at}]) == "map" { ${to}[${at}].${property} = ${value}; }`,
    apply: (state: State) => {
      const map = asMap(asArray(state[to])?.[at]);
      if (map !== null) map[property] = value;
    },
  })),
  fc.tuple(name, index, index, fc.integer({ min: 0, max: 9 })).map(([to, at, inner, value]) => ({
    source: `if type_of(${to}) == "array" && ${to}.len > ${at} && type_of(${to}[${at}]) == "array" && ${to}[${at}].len > ${inner} { ${to}[${at}][${inner}] = ${value}; }`,
    apply: (state: State) => {
      const array = asArray(asArray(state[to])?.[at]);
      if (array !== null && array.length > inner) array[inner] = value;
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `${to} = same(${from});`,
    apply: (state: State) => {
      state[to] = clone(state[from]);
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `${to} = pick(${from});`,
    apply: (state: State) => {
      state[to] = clone(asArray(state[from])?.[0] ?? state[from]);
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `if to_string(${from}).len < 200 { ${to} = both(${from}); }`,
    apply: (state: State) => {
      if (write(state[from]).length < 200) state[to] = [clone(state[from]), clone(state[from])];
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `${to} = change(${from});`,
    apply: (state: State) => {
      const copy = clone(state[from]);
      if (Array.isArray(copy)) copy.push(7);
      else if (typeof copy === "object") copy["q"] = 7;
      state[to] = copy;
    },
  })),
  fc.tuple(name).map(([to]) => ({
    source: `${to}.grow();`,
    apply: (state: State) => {
      const target = state[to];
      if (Array.isArray(target)) target.push(8);
      else if (typeof target === "object") target["r"] = 8;
      else state[to] = target + 1;
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `for item in [${from}, ${from}] { item.grow(); ${to} = item; }`,
    apply: (state: State) => {
      let item: Model = 0;
      for (const source of [clone(state[from]), clone(state[from])]) {
        item = source;
        if (Array.isArray(item)) item.push(8);
        else if (typeof item === "object") item["r"] = 8;
        else item += 1;
      }
      state[to] = item;
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `if type_of(${from}) == "array" { ${to} = ${from}.map(|x| { x.grow(); x }); }`,
    apply: (state: State) => {
      const array = asArray(state[from]);
      if (array === null) return;
      state[to] = array.map((source) => {
        const item = clone(source);
        if (Array.isArray(item)) item.push(8);
        else if (typeof item === "object") item["r"] = 8;
        else return item + 1;
        return item;
      });
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `{ let hold = #{v: ${from}}; let f = || hold.v; ${to} = f.call(); hold.v.grow(); }`,
    apply: (state: State) => {
      state[to] = clone(state[from]);
    },
  })),
  fc.tuple(name, key, name).map(([to, at, from]) => ({
    source: `if type_of(${to}) == "map" && type_of(${to}.${at}) == "array" && ${to}.${at}.len < 5 { ${to}.${at}.push(${from}); }`,
    apply: (state: State) => {
      const array = asArray(asMap(state[to])?.[at]);
      if (array !== null && array.length < 5) array.push(clone(state[from]));
    },
  })),
  fc.tuple(name, index, name).map(([to, at, from]) => ({
    source: `if type_of(${to}) == "array" && ${to}.len > ${at} && type_of(${to}[${at}]) == "array" && type_of(${from}) == "array" && ${to}[${at}].len + ${from}.len < 9 { ${to}[${at}].append(${from}); }`,
    apply: (state: State) => {
      const array = asArray(asArray(state[to])?.[at]);
      const other = asArray(state[from]);
      if (array !== null && other !== null && array.length + other.length < 9) {
        array.push(...other.map(clone));
      }
    },
  })),
  fc.tuple(name, name).map(([to, from]) => ({
    source: `if type_of(${to}) == "array" && type_of(${from}) == "array" && ${to}.len + ${from}.len < 9 { ${to} += ${from}; append(${to}, []); }`,
    apply: (state: State) => {
      const array = asArray(state[to]);
      const other = asArray(state[from]);
      if (array !== null && other !== null && array.length + other.length < 9) {
        array.push(...other.map(clone));
      }
    },
  })),
  fc.tuple(name, key).map(([to, at]) => ({
    source: `if type_of(${to}) == "map" { ${to}.${at}.grow(); }`,
    apply: (state: State) => {
      const map = asMap(state[to]);
      const target = map?.[at];
      if (map === null || map === undefined || target === undefined) return;
      if (Array.isArray(target)) target.push(8);
      else if (typeof target === "object") target["r"] = 8;
      else map[at] = target + 1;
    },
  })),
);

const PRELUDE = `
fn same(v) { v }
fn pick(v) { if type_of(v) == "array" && v.len > 0 { v[0] } else { v } }
fn both(v) { let list = [v]; for x in [1] { list.push(v); } list }
fn change(v) { if type_of(v) == "array" { v.push(7); } else if type_of(v) == "map" { v.q = 7; } v }
fn grow() { if type_of(this) == "array" { this.push(8); } else if type_of(this) == "map" { this.r = 8; } else if type_of(this) == "i64" { this += 1; } }
let a = [1, [2, 3], #{x: [4]}]; let b = #{x: [1], y: #{z: 2}}; let c = 5;
`;

const write = (value: Model): string => {
  if (typeof value === "number") return String(value);
  if (Array.isArray(value)) return `[${value.map(write).join(", ")}]`;
  return `#{${Object.keys(value)
    .toSorted()
    .map((at) => `${JSON.stringify(at)}: ${write(value[at] ?? 0)}`)
    .join(", ")}}`;
};

test("values never change through another place", () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 25 }), (steps) => {
      const state: State = { a: [1, [2, 3], { x: [4] }], b: { x: [1], y: { z: 2 } }, c: 5 };
      for (const { apply } of steps) apply(state);
      const size = write(state.a).length + write(state.b).length + write(state.c).length;
      if (size > 100_000) return;
      const source = `${PRELUDE}${steps.map((one) => one.source).join("\n")}\n[a, b, c]`;
      const expected = `[${write(state.a)}, ${write(state.b)}, ${write(state.c)}]`;
      expect(shown(source)).toBe(expected);
    }),
    { numRuns: 200 },
  );
}, 60_000);
