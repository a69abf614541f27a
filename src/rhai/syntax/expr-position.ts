import type { Expr, Stmt } from "./ast.ts";
import type { Pos } from "./position.ts";

/** The place that official messages give an expression: an operator's for binary ones and chains. */
export const exprPosition = (expr: Expr): Pos => {
  // `a && b && c` is one expression of three parts in the official tree, placed at its first operator.
  let node = expr;
  while (node.kind === "Logical" && node.left.kind === "Logical" && node.left.op === node.op)
    node = node.left;
  return node.pos;
};

/** Where an expression begins, which is still the operator for binary operators that are calls. */
export const startPosition = (expr: Expr): Pos => {
  switch (expr.kind) {
    case "Var":
      return expr.path[0]?.pos ?? expr.pos;
    case "Logical":
      return startPosition(expr.left);
    case "Chain":
      return startPosition(expr.root);
    default:
      return exprPosition(expr);
  }
};

export const stmtPosition = (stmt: Stmt): Pos => (stmt.kind === "Expr" ? startPosition(stmt.expr) : stmt.pos);
