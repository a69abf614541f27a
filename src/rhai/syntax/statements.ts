import type { Block, Expr, Stmt } from "./ast.ts";
import { parseAssignment } from "./assignment.ts";
import { parseConst, parseExport, parseImport, parseLet } from "./declarations.ts";
import { parseExpression } from "./expressions.ts";
import { parseFunction } from "./functions.ts";
import { parseIf } from "./conditionals.ts";
import { parseLoop } from "./loops.ts";
import {
  at,
  type BlockStmt,
  deeper,
  deeperAt,
  type ParseState,
  type Settings,
  Where,
} from "./parse-state.ts";
import type { Pos } from "./position.ts";
import { fail, LOOP_BREAK, missingToken, SyntaxFailure, WRONG_EXPORT } from "./problems.ts";
import { parseTerminator } from "./statement-end.ts";
import { parseSwitch } from "./switch.ts";
import { parseTry } from "./try-catch.ts";

/** One statement without its semicolon. `Noop` for an empty statement, a function definition or the end. */
export const parseStatement = (state: ParseState, outer: Settings): Stmt => {
  const { input } = state;
  const token = input.peek();
  const { pos } = token;
  if (token.kind === "End") return { kind: "Noop", pos };
  const settings: Settings = at(outer, pos);
  switch (token.kind) {
    case ";":
      input.next();
      return { kind: "Noop", pos };
    case "{":
      return parseBlock(state, deeper(settings));
    case "fn":
    case "private":
      return parseFunction(state, settings);
    case "if":
      return parseIf(state, deeper(settings));
    case "switch":
      return parseSwitch(state, deeper(settings));
    case "while":
    case "loop":
    case "do":
    case "for":
      return parseLoop(state, deeper(settings), token.kind);
    case "continue":
    case "break":
      if ((settings.where & Where.Loop) === 0) fail(LOOP_BREAK, pos);
      input.next();
      if (token.kind === "continue") return { kind: "Continue", pos };
      return { kind: "Break", value: parseOptionalValue(state, settings), pos };
    case "return":
      input.next();
      return { kind: "Return", value: parseOptionalValue(state, settings), pos };
    case "throw":
      input.next();
      return { kind: "Throw", value: parseOptionalValue(state, settings), pos };
    case "try":
      return parseTry(state, deeper(settings));
    case "let":
      return parseLet(state, deeper(settings), false);
    case "const":
      return parseConst(state, deeper(settings), false);
    case "import":
      return parseImport(state, deeper(settings));
    case "export":
      if ((settings.where & Where.Global) === 0) fail(WRONG_EXPORT, pos);
      return parseExport(state, deeper(settings));
    default:
      return parseExpressionStatement(state, deeper(settings));
  }
};

/** The value after `break`, `return` or `throw`: none if the next token cannot begin one. */
const parseOptionalValue = (state: ParseState, outer: Settings): Expr | null => {
  const { input } = state;
  const start = input.pos;
  const settings = deeper(outer);
  try {
    return parseExpression(state, settings);
  } catch (error) {
    if (error instanceof SyntaxFailure && input.pos === start) return null;
    throw error;
  }
};

const parseExpressionStatement = (state: ParseState, outer: Settings): Stmt => {
  const { input } = state;
  const settings: Settings = at(outer, input.pos);
  const expr = parseExpression(state, settings);
  return parseAssignment(state, settings, expr) ?? { kind: "Expr", expr, pos: settings.pos };
};

/** All statements of a source text. */
export const parseScriptBody = (state: ParseState, settings: Settings): Stmt[] => {
  const { input } = state;
  const body: Stmt[] = [];
  while (input.peek().kind !== "End") {
    state.marks?.statements.add(input.peek().start);
    const stmt = parseStatement(state, settings);
    if (stmt.kind === "Noop") continue;
    body.push(stmt);
    parseTerminator(state, stmt, "End");
  }
  return body;
};

/** A block in braces. */
export const parseBlock = (state: ParseState, outer: Settings): BlockStmt => {
  const { input, scope } = state;
  const open = input.next();
  if (open.kind !== "{") fail(open.problem ?? missingToken("{", "to start a statement block"), open.pos);
  const inner = deeperAt(outer, open.pos);
  const settings: Settings = { ...inner, where: inner.where & ~Where.Global };

  const { variables } = scope;
  const outerFrame = variables.frame;
  variables.frame = variables.size;
  const body: Stmt[] = [];
  let end: Pos | null = null;
  while (end === null) {
    const token = input.peek();
    if (token.kind === "}") {
      end = input.next().pos;
    } else if (token.kind === "End") {
      fail(missingToken("}", "to terminate this block"), token.pos);
    } else {
      state.marks?.statements.add(token.start);
      const stmt = parseStatement(state, settings);
      if (stmt.kind === "Noop") continue;
      body.push(stmt);
      parseTerminator(state, stmt, "}");
    }
  }
  variables.truncate(variables.frame);
  variables.frame = outerFrame;
  const block: Block = { body, pos: open.pos, end };
  return { kind: "Block", block, pos: open.pos };
};
