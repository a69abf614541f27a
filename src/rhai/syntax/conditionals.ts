import type { Expr, Stmt } from "./ast.ts";
import { refuseAssignment } from "./assignment.ts";
import { requireBoolean } from "./literal-checks.ts";
import { deeperAt, type ParseState, type Settings } from "./parse-state.ts";
import { expressionExpected, fail } from "./problems.ts";

/** Refuses a block where an expression must begin. */
export const refuseBlock = (state: ParseState): void => {
  const token = state.input.peek();
  if (token.kind === "{") fail(expressionExpected("a boolean"), token.pos);
};

/** The condition of `if`, of a loop or of a case. */
export const parseCondition = (state: ParseState, settings: Settings): Expr => {
  refuseBlock(state);
  const test = requireBoolean(state.grammar.expression(state, settings));
  refuseAssignment(state);
  return test;
};

export const parseIf = (state: ParseState, outer: Settings): Stmt => {
  const { input } = state;
  const { pos } = input.next();
  const settings = deeperAt(outer, pos);
  const test = parseCondition(state, settings);
  const then = state.grammar.block(state, settings).block;
  const otherwise = input.accept("else") === null ? null : parseElse(state, settings);
  // oxlint-disable-next-line unicorn/no-thenable -- `then` is the field's word, and no tree is ever awaited
  return { kind: "If", test, then, otherwise, pos };
};

const parseElse = (state: ParseState, settings: Settings): Stmt =>
  state.input.peek().kind === "if" ? parseIf(state, settings) : state.grammar.block(state, settings);
