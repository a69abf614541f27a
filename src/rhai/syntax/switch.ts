import type { Expr, Stmt, SwitchArm, SwitchPattern } from "./ast.ts";
import { parseCondition } from "./conditionals.ts";
import { startPosition } from "./expr-position.ts";
import { isEmptyRange, switchPattern } from "./literal-checks.ts";
import { deeperAt, type ParseState, type Settings } from "./parse-state.ts";
import { NONE, type Pos } from "./position.ts";
import {
  CASE_AFTER_RANGE,
  CASE_CONDITION,
  DEFAULT_NOT_LAST,
  expressionExpected,
  fail,
  missingToken,
  SyntaxFailure,
} from "./problems.ts";
import { endsItself } from "./statement-end.ts";

const SWITCH_OPEN = missingToken("}", "to end this switch block");
// Official wording, although a brace is what is missing.
const SWITCH_OPEN_AFTER_ARM = missingToken(")", "to end this switch block");

export const parseSwitch = (state: ParseState, outer: Settings): Stmt => {
  const { input } = state;
  const { pos } = input.next();
  const settings = deeperAt(outer, pos);
  const subject = state.grammar.expression(state, settings);
  const open = input.next();
  if (open.kind !== "{") fail(open.problem ?? missingToken("{", "to start a switch block"), open.pos);

  const arms: SwitchArm[] = [];
  let defaultPos: Pos = NONE;
  let hasRange = false;
  while (input.accept("}") === null) {
    const first = input.peek();
    if (first.kind === "End") fail(SWITCH_OPEN, first.pos);
    if (defaultPos !== NONE) fail(DEFAULT_NOT_LAST, defaultPos);
    state.marks?.arms.add(first.start);
    const isDefault = first.kind === "_";
    if (isDefault) defaultPos = first.pos;

    const literals = isDefault ? [] : parseLiterals(state, settings);
    const guard = parseGuard(state, settings, isDefault);
    const arrow = input.next();
    if (arrow.kind !== "=>") fail(arrow.problem ?? missingToken("=>", "in this switch case"), arrow.pos);
    const body = state.grammar.statement(state, settings);
    const patterns: SwitchPattern[] = [];
    for (const literal of literals) {
      const pattern = toPattern(literal, hasRange);
      hasRange ||= pattern.kind === "Range" && !isEmptyRange(pattern);
      patterns.push(pattern);
    }
    arms.push({ patterns, guard, body, pos: first.pos });
    parseSeparator(state, body);
  }
  return { kind: "Switch", subject, arms, pos };
};

/** The alternatives of a case, still unchecked: what they are is told after the arm is read. */
const parseLiterals = (state: ParseState, settings: Settings): Expr[] => {
  const { input, scope } = state;
  const literals: Expr[] = [];
  do {
    const stopAtBar = scope.stopAtBar;
    scope.stopAtBar = true;
    try {
      literals.push(state.grammar.expression(state, settings));
    } catch (error) {
      if (error instanceof SyntaxFailure) fail(expressionExpected("literal"), error.pos);
      throw error;
    } finally {
      scope.stopAtBar = stopAtBar;
    }
  } while (input.accept("|") !== null);
  return literals;
};

const parseGuard = (state: ParseState, settings: Settings, isDefault: boolean): Expr | null => {
  const { input } = state;
  if (isDefault) input.next();
  const word = input.accept("if");
  if (word === null) return null;
  if (isDefault) fail(CASE_CONDITION, word.pos);
  return parseCondition(state, settings);
};

const toPattern = (literal: Expr, hasRange: boolean): SwitchPattern => {
  const pattern = switchPattern(literal);
  if (pattern === null) return fail(expressionExpected("a literal"), startPosition(literal));
  const isNumber = pattern.kind === "Value" && (literal.kind === "Int" || literal.kind === "Float");
  if (isNumber && hasRange) fail(CASE_AFTER_RANGE, pattern.pos);
  return pattern;
};

/** The comma after an arm, which may be left out after a block and before the closing brace. */
const parseSeparator = (state: ParseState, body: Stmt): void => {
  const { input } = state;
  const token = input.peek();
  if (token.kind === ",") {
    input.next();
  } else if (token.kind === "End") {
    fail(SWITCH_OPEN_AFTER_ARM, token.pos);
  } else if (token.problem !== null) {
    fail(token.problem, token.pos);
  } else if (token.kind !== "}" && !endsItself(body)) {
    fail(missingToken(",", "to separate the items in this switch block"), token.pos);
  }
};
