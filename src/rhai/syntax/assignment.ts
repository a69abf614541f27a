import type { AssignOp, Expr, Stmt } from "./ast.ts";
import { exprPosition, startPosition } from "./expr-position.ts";
import { isConstant } from "./literal-checks.ts";
import { at, type ParseState, type Settings } from "./parse-state.ts";
import { constantAssigned, fail, improperSymbol, INVALID_TARGET } from "./problems.ts";
import type { Token, TokenKind } from "./token.ts";

const OPERATORS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  "=",
  "+=",
  "-=",
  "*=",
  "/=",
  "%=",
  "**=",
  "<<=",
  ">>=",
  "&=",
  "|=",
  "^=",
]);

const TYPO = improperSymbol("=", "Possibly a typo of '=='?");

/** The rest of an assignment to an expression; null if no assignment operator is next. */
export const parseAssignment = (state: ParseState, settings: Settings, target: Expr): Stmt | null => {
  const operator = state.input.peek();
  if (!OPERATORS.has(operator.kind)) return null;
  state.input.next();
  // The variable is looked up where it is mentioned, and its kind where the statement ends, by its distance from
  // the top of the stack (which a `let` in an arm of `switch` can shift).
  const distance =
    target.kind === "Var" && target.path.length === 0 ? state.scope.variables.distance(target.name) : 0;
  const value = state.grammar.expression(state, at(settings, operator.pos));
  checkTarget(state, operator, target, distance);
  return { kind: "Assign", op: operator.kind as AssignOp, target, value, pos: operator.pos };
};

const checkTarget = (state: ParseState, operator: Token, target: Expr, distance: number): void => {
  switch (target.kind) {
    case "This":
      return;
    case "Var":
      if (distance > 0 && state.scope.variables.below(distance)?.constant === true) {
        fail(constantAssigned(target.name), target.pos);
      }
      return;
    case "Chain": {
      const method = target.steps.find((step) => step.kind === "Method");
      if (method !== undefined) fail(INVALID_TARGET, method.pos);
      const { root } = target;
      if (root.kind !== "Var" && root.kind !== "This") fail(INVALID_TARGET, exprPosition(root));
      return;
    }
  }
  if (isConstant(target)) fail(constantAssigned(""), startPosition(target));
  if (target.kind === "Logical" && operator.kind === "=") fail(TYPO, operator.pos);
  fail(INVALID_TARGET, exprPosition(target));
};

/** Refuses an assignment operator where a condition has just ended. */
export const refuseAssignment = (state: ParseState): void => {
  const token = state.input.peek();
  if (token.kind === "=") fail(TYPO, token.pos);
};
