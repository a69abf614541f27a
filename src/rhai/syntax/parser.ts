import type { Script } from "./ast.ts";
import { isUnicodeSpace } from "./characters.ts";
import { type Diagnostic, toDiagnostic } from "./diagnostics.ts";
import { parseExpression } from "./expressions.ts";
import { DEFAULT_LIMITS, globalSettings, type Grammar, newState, type ParseLimits } from "./parse-state.ts";
import { NONE } from "./position.ts";
import { fail, SyntaxFailure, WRONG_FUNCTION } from "./problems.ts";
import { parsePrimary } from "./primary.ts";
import { parseBlock, parseScriptBody, parseStatement } from "./statements.ts";

/** 0 in any member means no limit; a member left out has the official default. */
export type ParseOptions = Partial<ParseLimits>;

export type ParseResult =
  | { readonly ok: true; readonly script: Script }
  | { readonly ok: false; readonly diagnostics: readonly [Diagnostic, ...Diagnostic[]] };

/**
 * Reads a source text. Never throws; a lone surrogate counts as U+FFFD. The first diagnostic has the text and the
 * place of the official error.
 */
export const parse = (source: string, options: ParseOptions = {}): ParseResult =>
  attempt(source.toWellFormed(), options, () => {});

/**
 * Reads a source text as `eval` does: white space around it is cut off first (places count from what is left), and
 * neither functions nor closures may be defined in it, which is told without a place. Variables of the caller are
 * not known here, so that assigning to a constant of it fails only at run time.
 */
export const parseEval = (source: string, options: ParseOptions = {}): ParseResult =>
  attempt(trim(source.toWellFormed()), options, (functions) => {
    if (functions > 0) fail(WRONG_FUNCTION, NONE);
  });

const GRAMMAR: Grammar = {
  statement: parseStatement,
  block: parseBlock,
  expression: parseExpression,
  primary: parsePrimary,
};

const attempt = (source: string, options: ParseOptions, check: (functions: number) => void): ParseResult => {
  const limits: ParseLimits = { ...DEFAULT_LIMITS, ...options };
  try {
    const state = newState(GRAMMAR, source, limits);
    const body = parseScriptBody(state, globalSettings(limits));
    const { functions, size } = state.program;
    check(size);
    return { ok: true, script: { body, functions, comments: state.input.scriptComments } };
  } catch (error) {
    if (!(error instanceof SyntaxFailure)) throw error;
    return { ok: false, diagnostics: [toDiagnostic(source, error.problem, error.pos)] };
  }
};

/** Cuts off what Unicode calls white space, which is not quite what `String.prototype.trim` does. */
const trim = (source: string): string => {
  let start = 0;
  let end = source.length;
  while (start < end && isUnicodeSpace(source.charCodeAt(start))) start++;
  while (end > start && isUnicodeSpace(source.charCodeAt(end - 1))) end--;
  return source.slice(start, end);
};
