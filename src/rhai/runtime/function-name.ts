import { reserved } from "../syntax/problems.ts";
import { isReservedWord } from "../syntax/reserved.ts";

const KEYWORDS: ReadonlySet<string> = new Set([
  "true", "false", "let", "const", "if", "else", "switch", "do", "while", "until", "loop", "for", "in", "continue",
  "break", "return", "throw", "try", "catch", "import", "export", "as", "fn", "private",
]);

const SYMBOLS: ReadonlySet<string> = new Set([
  "+", "-", "*", "/", "%", "**", "<<", ">>", "&", "|", "^", "==", "!=", "<", "<=", ">", ">=", "!", "&&", "||", "??",
  "..", "..=", "...", "=", "+=", "-=", "*=", "/=", "%=", "**=", "<<=", ">>=", "&=", "|=", "^=", "!in", "=>", "->", "<-",
  "===", "!==", ":=", ":;", "::", "~", "!.", "?", "?.", "?[", "++", "--", "#", "#!", "@", "$", "(*", "*)", "<|", "|>",
  "{", "}", "(", ")", "[", "]", "#{", ":", ";", ",", ".", "_", "::<",
]);

/** What the official interpreter says about a function pointer to a reserved name; null for all other names. */
export function functionNameProblem(name: string): string | null {
  const isReserved = isReservedWord(name) || KEYWORDS.has(name) || SYMBOLS.has(name);
  return isReserved ? reserved(name).message : null;
}

