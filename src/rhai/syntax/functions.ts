import type { FnDef, Ident, Stmt } from "./ast.ts";
import { deeper, depthLimit, innerState, type ParseState, type Settings, Where } from "./parse-state.ts";
import type { Pos } from "./position.ts";
import {
  bodyMissing,
  duplicatedFunction,
  duplicatedParameter,
  fail,
  FUNCTION_NAME_MISSING,
  missingToken,
  parametersMissing,
  type Problem,
  reserved,
  TOO_MANY_FUNCTIONS,
  VARIABLE_EXPECTED,
  WRONG_FUNCTION,
} from "./problems.ts";
import { isParameterKeyword, type Token } from "./token.ts";
import type { TokenSource } from "./token-source.ts";

/** A function definition. It goes to the program's functions; the statement left in its place is empty. */
export const parseFunction = (state: ParseState, settings: Settings): Stmt => {
  const { input, limits, program } = state;
  const first = input.next();
  const isPrivate = first.kind === "private";
  const keyword = isPrivate ? input.next() : first;
  const { pos } = keyword;
  if (keyword.kind !== "fn") fail(missingToken("fn", "following 'private'"), pos);
  if ((settings.where & Where.Global) === 0) fail(WRONG_FUNCTION, first.pos);
  if (limits.maxFunctions > 0 && program.size >= limits.maxFunctions) fail(TOO_MANY_FUNCTIONS, pos);

  const inner: Settings = {
    where: Where.Function,
    level: 0,
    maxLevel: depthLimit(limits.maxFunctionExprDepth),
    pos,
  };
  const fn = parseDefinition(innerState(state), inner, isPrivate, first.docs);
  const signature = `${fn.thisType ?? ""} ${fn.name} ${fn.params.length}`;
  if (program.signatures.has(signature)) fail(duplicatedFunction(fn.name, fn.params.length), pos);
  program.signatures.add(signature);
  program.names.add(fn.name);
  program.functions.push(fn);
  return { kind: "Noop", pos };
};

const parseDefinition = (
  state: ParseState,
  outer: Settings,
  isPrivate: boolean,
  comments: readonly string[],
): FnDef => {
  const { input } = state;
  const settings = deeper(outer);
  const { thisType, token } = parseThisType(input);
  if (token.kind === "Reserved") fail(reserved(token.text), token.pos);
  if (token.kind !== "Name") fail(FUNCTION_NAME_MISSING, token.pos);
  const name = token.text;
  const params = parseParameters(state, name);
  if (input.peek().kind !== "{") fail(bodyMissing(name), input.pos);
  const { block: body } = state.grammar.block(state, settings);
  return { name, thisType, params, body, isPrivate, comments, pos: outer.pos };
};

/** `type.` before the name, if it is there, and the token after it. */
const parseThisType = (input: TokenSource): { thisType: string | null; token: Token } => {
  const token = input.next();
  if (token.kind === "Str" || token.kind === "Name") {
    if (input.accept(".") !== null) return { thisType: nativeType(token.text), token: input.next() };
    if (token.kind === "Str") fail(missingToken(".", "after the type name for 'this'"), input.pos);
  }
  return { thisType: null, token };
};

const nativeType = (name: string): string => (name === "int" ? "i64" : name === "float" ? "f64" : name);

const parseParameters = (state: ParseState, name: string): Ident[] => {
  const { input } = state;
  if (input.accept("()") !== null) return [];
  if (input.accept("(") === null) fail(parametersMissing(name), input.pos);
  if (input.accept(")") !== null) return [];
  return parseParameterList(state, {
    close: ")",
    functionName: name,
    unclosed: missingToken(")", `to close the parameters list of function '${name}'`),
    unseparated: missingToken(",", `to separate the parameters of function '${name}'`),
  });
};

interface ListStyle {
  readonly close: ")" | "|";
  /** As messages name it; empty for a closure. */
  readonly functionName: string;
  readonly unclosed: Problem;
  readonly unseparated: Problem;
}

/** Parameters up to the closing token, which is taken. They become variables of the state's scope. */
export const parseParameterList = (state: ParseState, style: ListStyle): Ident[] => {
  const { input, scope } = state;
  const params: Ident[] = [];
  const names = new Set<string>();
  const closed = (close: Token): Ident[] => {
    if (close.kind === "|") state.marks?.closeBars.add(close.start);
    return params;
  };
  for (;;) {
    const token = input.next();
    if (token.kind === style.close) return closed(token);
    if (token.kind !== "Name") return refuseParameter(token, style);
    if (names.has(token.text)) fail(duplicatedParameter(style.functionName, token.text), token.pos);
    names.add(token.text);
    scope.variables.push(token.text, false);
    params.push({ name: token.text, pos: token.pos });

    const separator = input.next();
    if (separator.kind === style.close) return closed(separator);
    if (separator.kind !== ",") fail(separator.problem ?? style.unseparated, separator.pos);
  }
};

const refuseParameter = (token: Token, style: ListStyle): never => {
  const pos: Pos = token.pos;
  if (token.problem !== null) return fail(token.problem, pos);
  if (token.kind === "Reserved") return fail(reserved(token.text), pos);
  return fail(isParameterKeyword(token.kind) ? VARIABLE_EXPECTED : style.unclosed, pos);
};
