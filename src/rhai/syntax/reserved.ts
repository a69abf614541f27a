import { improperSymbol, type Problem } from "./problems.ts";

interface Reservation {
  /** It may be called like a function. */
  readonly call: boolean;
  /** It may be called like a method. */
  readonly method: boolean;
}

const word = (call: boolean, method: boolean): Reservation => ({ call, method });

const WORDS: ReadonlyMap<string, Reservation> = new Map<string, Reservation>([
  ...[
    "use",
    "case",
    "async",
    "public",
    "package",
    "super",
    "var",
    "protected",
    "spawn",
    "shared",
    "is",
    "sync",
    "static",
    "default",
    "this",
    "thread",
    "yield",
    "new",
    "match",
    "await",
    "null",
    "with",
    "void",
    "nil",
    "module",
    "go",
    "goto",
  ].map((name): [string, Reservation] => [name, word(false, false)]),
  ...["print", "debug", "eval", "Fn", "is_def_var", "is_def_fn"].map((name): [string, Reservation] => [
    name,
    word(true, false),
  ]),
  ...["call", "curry", "is_shared", "type_of"].map((name): [string, Reservation] => [name, word(true, true)]),
]);

export const isReservedWord = (name: string): boolean => WORDS.has(name);

/** True for reserved words that are the names of built-in functions. */
export const isCallableReserved = (name: string): boolean => WORDS.get(name)?.call === true;

/** True for reserved words that are the names of built-in methods. */
export const isMethodReserved = (name: string): boolean => WORDS.get(name)?.method === true;

const EXPLANATIONS: ReadonlyMap<string, string> = new Map([
  ["===", "'===' is not a valid operator. This is not JavaScript! Should it be '=='?"],
  ["!==", "'!==' is not a valid operator. This is not JavaScript! Should it be '!='?"],
  ["->", "'->' is not a valid symbol. This is not C or C++!"],
  ["<-", "'<-' is not a valid symbol. This is not Go! Should it be '<='?"],
  [":=", "':=' is not a valid assignment operator. This is not Go or Pascal! Should it be simply '='?"],
  [":;", "':;' is not a valid symbol. Should it be '::'?"],
  ["::<", "'::<>' is not a valid symbol. This is not Rust! Should it be '::'?"],
  ["(*", "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?"],
  ["*)", "'(* .. *)' is not a valid comment format. This is not Pascal! Should it be '/* .. */'?"],
  ["# {", "'#' is not a valid symbol. Should it be '#{'?"],
]);

/** The error that a reserved symbol is by itself; null where the parser decides. */
export const reservedSymbolProblem = (symbol: string): Problem | null => {
  const explanation = EXPLANATIONS.get(symbol);
  return explanation === undefined ? null : improperSymbol(symbol, explanation);
};
