import { MOST_NAMED } from "../runtime/entries.ts";
import { stringLiteral } from "./literal.ts";
import type { ScriptWriter } from "./script-writer.ts";

/**
 * Properties of maps by a name in the source. Each script has its own small functions for each of its names, so that
 * the engine's caches in them see few shapes of maps; it puts them in place of the calls. They answer what the
 * properties of `Entries` hold.
 */

/** Of a `$` property the content, and where there is none that of the table. */
const content = (entries: string, name: string): string => {
  const value = `${entries}[${stringLiteral(`$${name}`)}]`;
  return `(v = ${value}) !== undefined || ${entries}.table === null ? v : ${entries}.table.get(${stringLiteral(name)})`;
};

/** The function (run, target, getters, positions of the name and of the dot) that reads a property of any value. */
export const getProperty = (script: ScriptWriter, name: string): string =>
  script.helper(
    `get ${name}`,
    () =>
      `(R, t, G, p, o) { if (t instanceof H.RhaiMap) { let e = t.entries, v; return ${content("e", name)}; } ` +
      `return H.computedProp(R, t, ${stringLiteral(name)}, G, p, o); }`,
  );

/** The function (target) that reads a property of a map, and answers undefined for all else. */
export const peekProperty = (script: ScriptWriter, name: string): string =>
  script.helper(
    `peek ${name}`,
    () => `(t) { if (t instanceof H.RhaiMap) { let e = t.entries, v; return ${content("e", name)}; } }`,
  );

/** The same on the way to a change of what it answers or of the property: the map's storage becomes its own. */
export const ownProperty = (script: ScriptWriter, name: string): string =>
  script.helper(
    `own ${name}`,
    () =>
      `(t) { if (t instanceof H.RhaiMap) ` +
      `{ let e = t.owned ? t.entries : t.writable(), v; return ${content("e", name)}; } }`,
  );

/** The function (run, map, value, position of the assignment) that writes a property of a map. */
export const setProperty = (script: ScriptWriter, name: string): string =>
  script.helper(`set ${name}`, () => {
    const property = stringLiteral(`$${name}`);
    return (
      `(R, t, v, p) { const e = t.owned ? t.entries : t.writable(); t.measured = null; ` +
      `if (e[${property}] !== undefined) { e[${property}] = v; if (R.sized && H.hasSize(v)) R.checkGrown(t, p); } ` +
      `else if (e.table === null && e.size < ${MOST_NAMED} && !(${property} in e)) ` +
      `{ e.size += 1; e[${property}] = v; H.addedProp(R, t, ${stringLiteral(name)}, v, p); } ` +
      `else H.setProp(R, t, ${stringLiteral(name)}, v, p); }`
    );
  });

/** The entries of a map literal, as an expression. */
export function makeEntries(
  script: ScriptWriter,
  keys: readonly string[],
  values: readonly string[],
): string {
  if (keys.length > MOST_NAMED) {
    const list = script.constant(`[${keys.map(stringLiteral).join(",")}]`);
    return `H.manyEntries(${list}, [${values.join(", ")}])`;
  }
  const make = script.helper(`make ${keys.map(stringLiteral).join(",")}`, () => {
    const sets = keys.map((key, i) => `e[${stringLiteral(`$${key}`)}] = a${i};`).join(" ");
    const params = keys.map((_, i) => `a${i}`).join(", ");
    return `(${params}) { const e = new H.Entries(${keys.length}); ${sets} return e; }`;
  });
  return `${make}(${values.join(", ")})`;
}
