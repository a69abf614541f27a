import type { Expr, Script } from "./ast.ts";
import { isUnicodeSpace } from "./characters.ts";
import { type Diagnostic, toDiagnostic } from "./diagnostics.ts";
import { excerptAt } from "./excerpt.ts";
import { parseExpression } from "./expressions.ts";
import { jsonToken, shownInJson } from "./json-tokens.ts";
import {
  DEFAULT_LIMITS,
  globalSettings,
  type Grammar,
  type Marks,
  newState,
  type ParseLimits,
  type ParseState,
  Where,
} from "./parse-state.ts";
import { NONE } from "./position.ts";
import { parsePrimary } from "./primary.ts";
import { fail, SyntaxFailure, unexpectedInput, WRONG_FUNCTION } from "./problems.ts";
import { furtherDiagnostics } from "./recovery.ts";
import { parseBlock, parseScriptBody, parseStatement } from "./statements.ts";
import type { Token } from "./token.ts";
import { TokenSource } from "./token-source.ts";

/** 0 in any member means no limit; a member left out has the official default. */
export type ParseOptions = { readonly [Name in keyof ParseLimits]?: number | undefined };

export interface Failure {
  readonly ok: false;
  readonly diagnostics: readonly [Diagnostic, ...Diagnostic[]];
}

export type ParseResult = { readonly ok: true; readonly script: Script } | Failure;

/**
 * Reads a source text. Never throws; a lone surrogate counts as U+FFFD. The first diagnostic has the text and the
 * place of the official error; more of them tell what else is wrong for certain, see `furtherDiagnostics`.
 */
export const parse = (source: string, options: ParseOptions = {}): ParseResult => {
  const text = source.toWellFormed();
  const result = attempt(text, options, parseScript);
  if (result.ok) return { ok: true, script: result.value };
  const [first] = result.diagnostics;
  const more = furtherDiagnostics(text, first, (rest) => {
    const again = attempt(rest, options, parseScript);
    return again.ok ? null : { ...again.diagnostics[0], excerpt: excerptAt(text, again.diagnostics[0].pos) };
  });
  return { ok: false, diagnostics: [first, ...more] };
};

/** Like `parse`, for the formatter: with notes on the tokens in the place of limits. */
export const parseWithMarks = (source: string, marks: Marks): ParseResult => {
  const unlimited: ParseOptions = { maxExprDepth: 0, maxFunctionExprDepth: 0 };
  const result = attempt(source.toWellFormed(), unlimited, parseScript, { marks });
  return result.ok ? { ok: true, script: result.value } : result;
};

/**
 * Reads a source text as `eval` does: white space around it is cut off first (places count from what is left), and
 * neither functions nor closures may be defined in it, which is told without a place. As in the official one,
 * variables of the caller are not known here, so that assigning to a constant of it fails only at run time.
 */
export const parseEval = (source: string, options: ParseOptions = {}): ParseResult => {
  const result = attempt(trim(source.toWellFormed()), options, (state, limits) => {
    const script = parseScript(state, limits);
    return state.program.size > 0 ? fail(WRONG_FUNCTION, NONE) : script;
  });
  return result.ok ? { ok: true, script: result.value } : result;
};

export type JsonResult = { readonly ok: true; readonly expr: Expr } | Failure;

/**
 * Reads the text of `parse_json` as the official one does: as an expression of the language in which braces make a
 * map, `null` is `()` and property names are in quotes. The expression is mostly a literal, but anything that needs
 * no brace (a sum, a call, a closure) gets through, as it does officially.
 */
export const parseJson = (source: string, options: ParseOptions = {}): JsonResult => {
  const read = (state: ParseState, limits: ParseLimits): Expr => {
    const settings = globalSettings(limits);
    const where = settings.where | Where.QuotedKeys | Where.NoLoops;
    const expr = parseExpression(state, { ...settings, where });
    const token = state.input.peek();
    return token.kind === "End" ? expr : fail(unexpectedInput(shownInJson(token)), token.pos);
  };
  const result = attempt(source.toWellFormed(), options, read, { translate: jsonToken });
  return result.ok ? { ok: true, expr: result.value } : result;
};

const GRAMMAR: Grammar = {
  statement: parseStatement,
  block: parseBlock,
  expression: parseExpression,
  primary: parsePrimary,
};

const parseScript = (state: ParseState, limits: ParseLimits): Script => {
  const body = parseScriptBody(state, globalSettings(limits));
  return { body, functions: state.program.functions, comments: state.input.scriptComments };
};

interface Extras {
  readonly translate?: (token: Token) => Token;
  readonly marks?: Marks | null;
}

const attempt = <Result>(
  source: string,
  options: ParseOptions,
  read: (state: ParseState, limits: ParseLimits) => Result,
  { translate, marks = null }: Extras = {},
): { readonly ok: true; readonly value: Result } | Failure => {
  const limits = limitsOf(options);
  try {
    const input = new TokenSource(source, { maxStringSize: limits.maxStringSize }, translate);
    return { ok: true, value: read(newState(GRAMMAR, input, limits, marks), limits) };
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    return { ok: false, diagnostics: [toDiagnostic(source, error.problem, error.pos)] };
  }
};

const limitsOf = (options: ParseOptions): ParseLimits => ({
  maxExprDepth: options.maxExprDepth ?? DEFAULT_LIMITS.maxExprDepth,
  maxFunctionExprDepth: options.maxFunctionExprDepth ?? DEFAULT_LIMITS.maxFunctionExprDepth,
  maxStringSize: options.maxStringSize ?? DEFAULT_LIMITS.maxStringSize,
  maxArraySize: options.maxArraySize ?? DEFAULT_LIMITS.maxArraySize,
  maxMapSize: options.maxMapSize ?? DEFAULT_LIMITS.maxMapSize,
  maxFunctions: options.maxFunctions ?? DEFAULT_LIMITS.maxFunctions,
});

/** Cuts off what Unicode calls white space, which is not quite what `String.prototype.trim` does. */
const trim = (source: string): string => {
  let start = 0;
  let end = source.length;
  while (start < end && isUnicodeSpace(source.charCodeAt(start))) start++;
  while (end > start && isUnicodeSpace(source.charCodeAt(end - 1))) end--;
  return source.slice(start, end);
};
