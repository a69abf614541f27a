import { isValidName } from "./characters.ts";
import { type Problem, reserved } from "./problems.ts";
import { isReservedWord } from "./reserved.ts";
import { keywordOf, symbolAt } from "./token.ts";

/** Can a script define a function of this name? */
export const isFunctionName = (name: string): boolean =>
  isValidName(name) && !isReservedWord(name) && keywordOf(name) === undefined;

/**
 * Why `Fn(name)` is a parse error at run time (`Syntax error: 'print' is a reserved keyword`, at the argument); null
 * if it is none. Any other name that is not a function name is no function that could be found.
 */
export const functionNameProblem = (name: string): Problem | null => {
  const isWord = isReservedWord(name) || keywordOf(name) !== undefined;
  const isSymbol = symbolAt(name, 0)?.text === name || EXTRA_SYMBOLS.has(name);
  return isWord || isSymbol ? reserved(name) : null;
};

/** Symbols that the lexer recognises by other means. */
const EXTRA_SYMBOLS: ReadonlySet<string> = new Set(["_", "!in", "#", "#!"]);
