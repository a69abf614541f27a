import type { Block, Expr, Ident, Stmt } from "./ast.ts";
import { stmtPosition } from "./expr-position.ts";
import { parseParameterList } from "./functions.ts";
import { deeper, innerState, mention, type ParseState, type Settings, Where } from "./parse-state.ts";
import { NONE } from "./position.ts";
import { missingToken } from "./problems.ts";

const UNCLOSED = missingToken("|", "to close the parameters list of anonymous function or closure");
const UNSEPARATED = missingToken(",", "to separate the parameters of anonymous function");

/** `|a, b| statement`. */
export const parseClosure = (outer: ParseState, settings: Settings): Expr => {
  const { pos } = settings;
  const state = innerState(outer);
  const params = parseBars(state);
  // Its depth goes on from the surroundings, but a loop around it is none of its business.
  const where = Where.Function | (settings.where & Where.QuotedKeys);
  const body = toBlock(state.grammar.statement(state, deeper({ ...settings, where })));
  const captures = state.scope.outer;
  for (const capture of captures) mention(outer, capture.name, capture.pos);
  outer.program.closures++;
  return {
    kind: "Closure",
    fn: { name: "", thisType: null, params, body, isPrivate: false, comments: [], pos },
    captures,
    pos,
  };
};

const parseBars = (state: ParseState): Ident[] => {
  const { input, marks } = state;
  const open = input.next();
  marks?.openBars.add(open.start);
  if (open.kind === "||") return [];
  const close = input.accept("|");
  if (close !== null) {
    marks?.closeBars.add(close.start);
    return [];
  }
  return parseParameterList(state, {
    close: "|",
    functionName: "",
    unclosed: UNCLOSED,
    unseparated: UNSEPARATED,
  });
};

const toBlock = (stmt: Stmt): Block => {
  switch (stmt.kind) {
    case "Block":
      return stmt.block;
    case "Noop":
      return { body: [], pos: stmt.pos, end: stmt.pos };
    default:
      return { body: [stmt], pos: stmtPosition(stmt), end: NONE };
  }
};
