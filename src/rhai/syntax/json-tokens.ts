import { improperSymbol, type Problem } from "./problems.ts";
import type { Token } from "./token.ts";

const refused = (token: Token, problem: Problem): Token => ({ ...token, kind: "Error", problem });

/** Turns the tokens of JSON into those of the language: `{` opens a map, `null` is `()`. */
export const jsonToken = (token: Token): Token => {
  switch (token.kind) {
    case "Reserved":
      return token.text === "null" ? { ...token, kind: "()", text: "()" } : token;
    case "{":
      return { ...token, kind: "#{", text: "#{" };
    case "()":
    case "#{":
      return refused(token, improperSymbol(token.kind, ""));
    case "Interpolated":
      return refused(token, improperSymbol("interpolated string", ""));
    default:
      return token;
  }
};

/** A token as "Unexpected '…'" behind a JSON text shows it. */
export const shownInJson = (token: Token): string => {
  switch (token.kind) {
    case "Str":
      return `"${token.text}"`;
    case "Int":
      return String(token.value);
    case "Float":
      return floatText(Number(token.value));
    default:
      return token.problem?.message ?? token.text;
  }
};

/** A float as the language prints it: never without a period or an exponent. */
const floatText = (value: number): string => {
  const size = Math.abs(value);
  if (size === Infinity) return value > 0 ? "inf" : "-inf";
  if (value === 0) return Object.is(value, -0) ? "-0.0" : "0.0";
  if (size >= 1e16 || size < 1e-4) return value.toExponential().replace("+", "");
  return Number.isInteger(value) ? `${value}.0` : String(value);
};
