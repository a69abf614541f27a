import type { Ident, Stmt } from "./ast.ts";
import { parseCondition, refuseBlock } from "./conditionals.ts";
import { requireIterable } from "./literal-checks.ts";
import { parseVariableName } from "./names.ts";
import { at, deeper, deeperAt, type ParseState, type Settings, Where } from "./parse-state.ts";
import { duplicatedVariable, fail, missingToken } from "./problems.ts";
import type { TokenSource } from "./token-source.ts";

const inLoop = (settings: Settings): Settings => ({ ...settings, where: settings.where | Where.Loop });

export type LoopKeyword = "while" | "loop" | "do" | "for";

/** The loop whose keyword is next. */
export const parseLoop = (state: ParseState, settings: Settings, keyword: LoopKeyword): Stmt => {
  switch (keyword) {
    case "do":
      return parseDo(state, settings);
    case "for":
      return parseFor(state, settings);
    default:
      return parseWhile(state, settings);
  }
};

/** `while` or `loop`. */
const parseWhile = (state: ParseState, outer: Settings): Stmt => {
  const settings = deeper(outer);
  const { kind, pos } = state.input.next();
  const test = kind === "while" ? parseCondition(state, settings) : null;
  const body = state.grammar.block(state, inLoop(at(settings, pos))).block;
  return { kind: "While", test, body, pos };
};

const parseDo = (state: ParseState, outer: Settings): Stmt => {
  const { input } = state;
  const { pos } = input.next();
  const settings = deeperAt(outer, pos);
  const body = state.grammar.block(state, inLoop(settings)).block;
  const word = input.next();
  if (word.kind !== "while" && word.kind !== "until") {
    fail(missingToken("while", "for the do statement"), word.pos);
  }
  const test = parseCondition(state, settings);
  return { kind: "Do", test, until: word.kind === "until", body, pos };
};

const parseFor = (state: ParseState, outer: Settings): Stmt => {
  const { input, scope } = state;
  const { pos } = input.next();
  const settings = deeperAt(outer, pos);
  const { item, counter } = parseLoopVariables(input);
  const word = input.next();
  if (word.kind !== "in") fail(word.problem ?? missingToken("in", "after the iteration variable"), word.pos);
  refuseBlock(state);
  const iterable = requireIterable(state.grammar.expression(state, settings));

  const { variables } = scope;
  const { size } = variables;
  if (counter !== null) variables.push(counter.name, false);
  variables.push(item.name, false);
  const body = state.grammar.block(state, inLoop(settings)).block;
  variables.truncate(size);
  return { kind: "For", item, counter, iterable, body, pos };
};

/** `name` or `(name, counter)`. */
const parseLoopVariables = (input: TokenSource): { item: Ident; counter: Ident | null } => {
  if (input.accept("(") === null) return { item: parseVariableName(input), counter: null };
  const item = parseVariableName(input);
  if (input.accept(",") === null) fail(missingToken(",", "after the iteration variable name"), input.pos);
  const counter = parseVariableName(input);
  if (counter.name === item.name) fail(duplicatedVariable(counter.name), counter.pos);
  if (input.accept(")") === null) fail(missingToken(")", "to close the iteration variable"), input.pos);
  return { item, counter };
};
