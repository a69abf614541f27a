import type { Expr, Ident, Stmt } from "./ast.ts";
import { parseVariableName } from "./names.ts";
import { at, deeper, deeperAt, type ParseState, type Settings } from "./parse-state.ts";

export const parseLet = (state: ParseState, settings: Settings, exported: boolean): Stmt =>
  parseVariable(state, settings, false, exported);

export const parseConst = (state: ParseState, settings: Settings, exported: boolean): Stmt =>
  parseVariable(state, settings, true, exported);

const parseVariable = (state: ParseState, outer: Settings, constant: boolean, exported: boolean): Stmt => {
  const { input } = state;
  const keyword = input.next();
  const settings: Settings = at(outer, keyword.pos);
  const name = parseVariableName(input);
  let value: Expr | null = null;
  if (input.accept("=") !== null) value = state.grammar.expression(state, deeper(settings));
  declare(state, name.name, constant, exported);
  return { kind: "Let", name, constant, exported, value, comments: keyword.docs, pos: keyword.pos };
};

/** A name declared anew in the same block is the same variable, unless it was exported. */
const declare = (state: ParseState, name: string, constant: boolean, exported: boolean): void => {
  const { variables } = state.scope;
  const distance = variables.distance(name);
  const existing = distance > 0 && variables.inBlock(distance) ? variables.below(distance) : undefined;
  if (existing !== undefined && !existing.exported) existing.constant = constant;
  else variables.push(name, constant);
  const top = variables.below(1);
  if (exported && top !== undefined) top.exported = true;
};

export const parseImport = (state: ParseState, outer: Settings): Stmt => {
  const { input } = state;
  const { pos } = input.next();
  const module = state.grammar.expression(state, deeperAt(outer, pos));
  const alias = input.accept("as") === null ? null : parseVariableName(input);
  return { kind: "Import", module, alias, pos };
};

export const parseExport = (state: ParseState, outer: Settings): Stmt => {
  const { input, scope } = state;
  const { pos } = input.next();
  const settings: Settings = at(outer, pos);
  if (input.peek().kind === "let") return parseLet(state, deeper(settings), true);
  if (input.peek().kind === "const") return parseConst(state, deeper(settings), true);

  const name: Ident = parseVariableName(input);
  const alias = input.accept("as") === null ? null : parseVariableName(input);
  const variable = scope.variables.below(scope.variables.distance(name.name));
  if (variable !== undefined) variable.exported = true;
  return { kind: "Export", name, alias, pos };
};
