/** Values of a script as JavaScript literals. Nothing else of a source text may reach the output. */

/**
 * The code with each helper `H.name` in a constant of its own, which the JIT treats as known. Literals never hold
 * this spelling.
 */
export function withHelpers(code: string): string {
  const used = new Set(code.match(/\bH\.\w+/g));
  const constants = [...used].map((name) => `const h_${name.slice(2)} = ${name};\n`).join("");
  // No name in generated code ends in H.
  return `"use strict";\n${constants}${code.replaceAll("H.", "h_")}`;
}

/** A string literal that is safe in any place of a script, also inside HTML. */
export function stringLiteral(text: string): string {
  // Most are names.
  if (/^[\w$]*$/.test(text)) return `"${text}"`;
  return JSON.stringify(text)
    .replaceAll("H.", "\\u0048.")
    .replace(
      /[\u2028\u2029<>\u007f-\u009f\ud800-\udfff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** An i64; parenthesised when negative so that any operator may stand before it. */
export function intLiteral(value: number | bigint): string {
  const text = typeof value === "bigint" ? `${value}n` : String(value);
  return value < 0 ? `(${text})` : text;
}

/** A JavaScript number. */
export function numberLiteral(value: number): string {
  if (Number.isNaN(value)) return "(0/0)";
  if (value === Number.POSITIVE_INFINITY) return "(1/0)";
  if (value === Number.NEGATIVE_INFINITY) return "(-1/0)";
  return Object.is(value, -0) ? "(-0)" : value < 0 ? `(${value})` : String(value);
}
