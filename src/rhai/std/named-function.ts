import { NONE } from "../syntax/position.ts";
import { isReservedWord } from "../syntax/reserved.ts";
import { RhaiError } from "../runtime/errors.ts";
import { FnPtr } from "../runtime/values.ts";

const KEYWORDS: ReadonlySet<string> = new Set([
  ..."as break catch const continue do else export false fn for if import in let loop private return".split(
    " ",
  ),
  ..."switch throw true try until while".split(" "),
]);

const SYMBOLS: ReadonlySet<string> = new Set([
  ..."{ } ( ) [ ] + - * / ; : :: => _ , . ? ?. ?[ ?? # #{ = < > <= >= == != ! & | || && .. ..= ^ % ** << >>".split(
    " ",
  ),
  ..."+= -= *= /= <<= >>= &= |= ^= %= **= $ === !== -> <- := :; :: ~ @ ? ++ -- ... <| |> ${ (* *) ?: !. !in !is".split(
    " ",
  ),
]);

/** A pointer to the function of this name, which need not exist; or the error that such a name cannot be one. */
export function namedFunction(name: string): FnPtr | RhaiError {
  if (KEYWORDS.has(name) || isReservedWord(name)) return reserved(name, "keyword");
  if (SYMBOLS.has(name)) return reserved(name, "symbol");
  if (/^_*[A-Za-z][A-Za-z0-9_]*$/.test(name)) return new FnPtr(name);
  return new RhaiError("ErrorFunctionNotFound", `Function not found: ${name}`, NONE, { function: name });
}

/** The same, throwing the error. */
export function requireFunction(name: string): FnPtr {
  const named = namedFunction(name);
  if (named instanceof RhaiError) throw named;
  return named;
}

function reserved(name: string, what: string): RhaiError {
  return new RhaiError("ErrorParsing", `Syntax error: '${name}' is a reserved ${what}`);
}
