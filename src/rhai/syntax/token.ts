import type { Problem } from "./problems.ts";
import type { Pos } from "./position.ts";

/** Words with a meaning of their own. */
const KEYWORDS = [
  "true",
  "false",
  "let",
  "const",
  "if",
  "else",
  "switch",
  "do",
  "while",
  "until",
  "loop",
  "for",
  "in",
  "fn",
  "continue",
  "break",
  "return",
  "throw",
  "try",
  "catch",
  "private",
  "import",
  "export",
  "as",
] as const;

/** Symbols with a meaning. The lexer adds `unary+`, `unary-`, `!in` and `_`. */
const SYMBOLS = [
  "{",
  "}",
  "(",
  ")",
  "[",
  "]",
  "()",
  "+",
  "-",
  "*",
  "/",
  "%",
  "**",
  "<<",
  ">>",
  ";",
  ":",
  "::",
  "=>",
  ",",
  ".",
  "?.",
  "??",
  "?[",
  "..",
  "..=",
  "#{",
  "=",
  "<",
  ">",
  "<=",
  ">=",
  "==",
  "!=",
  "!",
  "|",
  "||",
  "^",
  "&",
  "&&",
  "+=",
  "-=",
  "*=",
  "/=",
  "<<=",
  ">>=",
  "&=",
  "|=",
  "^=",
  "%=",
  "**=",
] as const;

/** Symbols that lead to a message of their own, mostly because other languages have them. */
const RESERVED_SYMBOLS = [
  "?",
  "===",
  "!==",
  "~",
  "!.",
  ":=",
  "...",
  "@",
  "<-",
  "--",
  "<|",
  "$",
  "->",
  "|>",
  "::<",
  "++",
  ":;",
  "*)",
  "(*",
] as const;

export type Keyword = (typeof KEYWORDS)[number];
export type SymbolKind = (typeof SYMBOLS)[number];

/** Keywords and symbols are their own kind; the other kinds are capitalised. */
export type TokenKind =
  | Keyword
  | SymbolKind
  | "unary+"
  | "unary-"
  | "!in"
  | "_"
  | "Int"
  | "Float"
  | "Char"
  | "Str"
  /** The text of a back-tick string up to a hole; the brace that opens the hole is the next token. */
  | "Interpolated"
  | "Name"
  /** A word or symbol that the language keeps for itself. */
  | "Reserved"
  | "Comment"
  | "Error"
  | "End";

export interface Token {
  readonly kind: TokenKind;
  /** The decoded text of a string, else the token as official messages print it. */
  readonly text: string;
  /** What an `Int` (a bigint beyond 2^53) or a `Float` means; 0 for the others. */
  readonly value: number | bigint;
  readonly pos: Pos;
  /** Where it lies in the source, in UTF-16 code units; `end` is exclusive. */
  readonly start: number;
  readonly end: number;
  /** What is wrong, if it is an `Error`. */
  readonly problem: Problem | null;
  /** Doc comments directly before it, with their markers; consecutive line comments are one entry. */
  readonly docs: readonly string[];
}

const keywords: ReadonlyMap<string, Keyword> = new Map(KEYWORDS.map((word) => [word, word]));

export const keywordOf = (word: string): Keyword | undefined => keywords.get(word);

export interface SymbolEntry {
  readonly text: string;
  readonly kind: SymbolKind | "Reserved";
}

const entries: readonly SymbolEntry[] = [
  ...SYMBOLS.map((text): SymbolEntry => ({ text, kind: text })),
  ...RESERVED_SYMBOLS.map((text): SymbolEntry => ({ text, kind: "Reserved" })),
].sort((a, b) => b.text.length - a.text.length);

const byFirstCharacter = new Map<number, SymbolEntry[]>();
for (const entry of entries) {
  const first = entry.text.charCodeAt(0);
  const list = byFirstCharacter.get(first);
  if (list === undefined) byFirstCharacter.set(first, [entry]);
  else list.push(entry);
}

/** The longest symbol at an offset of the source, if there is one. */
export function symbolAt(source: string, offset: number): SymbolEntry | undefined {
  for (const entry of byFirstCharacter.get(source.charCodeAt(offset)) ?? NONE_OF_THEM)
    if (entry.text.length === 1 || source.startsWith(entry.text, offset)) return entry;
  return undefined;
}

const NONE_OF_THEM: readonly SymbolEntry[] = [];

/**
 * Tokens after which a sign belongs to what follows. After any other one, `-1` is an operator and a number (which
 * matters for method calls on it and for the smallest integer).
 */
const BEFORE_SIGN: ReadonlySet<TokenKind> = new Set<TokenKind>([
  ";",
  ":",
  ",",
  "??",
  "..",
  "..=",
  "{",
  "(",
  "[",
  "?[",
  "+",
  "+=",
  "unary+",
  "-",
  "-=",
  "unary-",
  "*",
  "*=",
  "/",
  "/=",
  "%",
  "%=",
  "**",
  "**=",
  "<<",
  "<<=",
  ">>",
  ">>=",
  "=",
  "==",
  "!=",
  "<",
  ">",
  "!",
  "<=",
  ">=",
  "|",
  "&",
  "if",
  "while",
  "until",
  "in",
  "!in",
  "&&",
  "&=",
  "||",
  "|=",
  "^",
  "^=",
  "return",
  "throw",
  "Error",
]);

export const signMayFollow = (kind: TokenKind): boolean => BEFORE_SIGN.has(kind);

/** Keywords that are refused as parameter names with "Expecting name of a variable". */
export const isParameterKeyword = (kind: TokenKind): boolean => kind !== "switch" && keywords.has(kind);
