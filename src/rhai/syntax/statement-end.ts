import type { Stmt } from "./ast.ts";
import type { ParseState } from "./parse-state.ts";
import { fail, missingToken } from "./problems.ts";

/** Does a statement end by itself, without a semicolon? */
export const endsItself = (stmt: Stmt): boolean => {
  switch (stmt.kind) {
    case "If":
    case "Switch":
    case "While":
    case "For":
    case "Block":
    case "Try":
      return true;
    default:
      return false;
  }
};

const NOT_TERMINATED = missingToken(";", "to terminate this statement");

/** Takes the semicolon after a statement, unless `end` follows or the statement ends itself. */
export const parseTerminator = (state: ParseState, stmt: Stmt, end: "}" | "End"): void => {
  const token = state.input.peek();
  if (token.kind === ";") state.input.next();
  else if (token.kind !== end && !endsItself(stmt)) fail(token.problem ?? NOT_TERMINATED, token.pos);
};
