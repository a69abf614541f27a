import type { Ident, Stmt } from "./ast.ts";
import { parseVariableName } from "./names.ts";
import { deeperAt, type ParseState, type Settings } from "./parse-state.ts";
import { fail, missingToken } from "./problems.ts";

export const parseTry = (state: ParseState, outer: Settings): Stmt => {
  const { input, scope } = state;
  const { pos } = input.next();
  const settings = deeperAt(outer, pos);
  const body = state.grammar.block(state, settings).block;
  if (input.accept("catch") === null) fail(missingToken("catch", "for the 'try' statement"), input.pos);

  let variable: Ident | null = null;
  if (input.accept("(") !== null) {
    variable = parseVariableName(input);
    if (input.accept(")") === null) fail(missingToken(")", "to enclose the catch variable"), input.pos);
    scope.variables.push(variable.name, false);
  }
  const handler = state.grammar.block(state, settings).block;
  if (variable !== null) scope.variables.truncate(scope.variables.size - 1);
  return { kind: "Try", body, variable, handler, pos };
};
