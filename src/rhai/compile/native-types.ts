import type { NativeGroup } from "../runtime/natives.ts";
import type { ScriptWriter } from "./script-writer.ts";
import {
  ANY,
  ARRAY,
  BLOB,
  BOOL,
  FLOAT,
  INT,
  isInt,
  join,
  numberOf,
  STRING,
  type Typed,
  UNIT,
} from "./types.ts";

/** What is known of natives where the types of their arguments are. Only the standard ones are taken at their word. */

/** The type of `target[index]`. */
export function indexType(target: Typed, index: Typed): Typed {
  if (target.type === "blob") return BYTE;
  return isInt(target) && isInt(index) ? BOOL : ANY;
}

const BYTE = numberOf(8);

/** The type of `target.name`. */
export function propertyType(script: ScriptWriter, target: Typed, name: string): Typed {
  const group = target.type === "other" ? null : script.natives.group(`get$${name}`, 1);
  return group === null ? ANY : nativeType(group, [target]);
}

/**
 * Which overload arguments of these types will get, by its index; null where that depends on the values. One with a tag
 * must not be passed but where it is kept, so what may have one is only certain there.
 */
export function certainOverload(group: NativeGroup, args: readonly Typed[]): number | null {
  const fits = group.overloads.filter(({ fn }) => args.every((arg, i) => mayBe(arg, fn.params[i] ?? "any")));
  const [only] = fits;
  if (only === undefined || fits.length > 1) return null;
  const certain = args.every((arg, i) => {
    const takesAll = only.tags[i] === 0;
    // A value of an `other` type may be a function as well as a map.
    if (arg.type === "other") return takesAll;
    return arg.type !== "any" || (takesAll && only.fn.keeps?.includes(i));
  });
  return certain ? group.overloads.indexOf(only) : null;
}

/** What a native answers for arguments of these types: known where all of the standard ones that fit agree. */
export function nativeType(group: NativeGroup, args: readonly Typed[]): Typed {
  if (group.suspends || group.callsBack) return ANY;
  let result: Typed | null = null;
  for (const { fn } of group.overloads) {
    if (!args.every((arg, i) => mayBe(arg, fn.params[i] ?? "any"))) continue;
    if (fn.package === undefined) return ANY;
    const returned = LENGTHS.has(fn.name) ? LENGTH : (RETURNED[fn.returns] ?? ANY);
    result = result === null ? returned : join(result, returned);
  }
  return result ?? ANY;
}

/** Nothing that has a length has 2 ** 48 elements. */
const LENGTH = numberOf(48);
const LENGTHS: ReadonlySet<string> = new Set(["len", "get$len"]);

const RETURNED: Readonly<Record<string, Typed>> = {
  "()": UNIT,
  bool: BOOL,
  i64: INT,
  f64: FLOAT,
  string: STRING,
  array: ARRAY,
  blob: BLOB,
};

/** Whether a value of this type may be passed where a native asks for a type of this name. */
function mayBe(arg: Typed, name: string): boolean {
  if (name === "any" || arg.type === "any") return true;
  if (arg.type === "other") return RETURNED[name] === undefined;
  const known = RETURNED[name];
  return known !== undefined && (known.type === arg.type || (isInt(known) && isInt(arg)));
}
