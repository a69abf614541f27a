import type { Block, Expr, Script, Stmt } from "../syntax/ast.ts";

/** Called for every expression, statement and closure before its parts. Closure bodies are not entered. */
export interface Visitor {
  expr?(expr: Expr): void;
  stmt?(stmt: Stmt): void;
}

export function walkBlock(block: Block, visitor: Visitor): void {
  for (const stmt of block.body) walkStmt(stmt, visitor);
}

export function walkExpr(expr: Expr, visitor: Visitor): void {
  visitor.expr?.(expr);
  switch (expr.kind) {
    case "Interpolated":
      for (const part of expr.parts) walkExpr(part, visitor);
      break;
    case "Array":
      for (const item of expr.items) walkExpr(item, visitor);
      break;
    case "Map":
      for (const entry of expr.entries) walkExpr(entry.value, visitor);
      break;
    case "Call":
      for (const arg of expr.args) walkExpr(arg, visitor);
      break;
    case "Chain":
      walkExpr(expr.root, visitor);
      for (const step of expr.steps) {
        if (step.kind === "Index") walkExpr(step.index, visitor);
        if (step.kind === "Method") for (const arg of step.args) walkExpr(arg, visitor);
      }
      break;
    case "Unary":
      walkExpr(expr.operand, visitor);
      break;
    case "Binary":
    case "Logical":
      walkExpr(expr.left, visitor);
      walkExpr(expr.right, visitor);
      break;
    case "StmtExpr":
      walkStmt(expr.stmt, visitor);
      break;
  }
}

export function walkStmt(stmt: Stmt, visitor: Visitor): void {
  visitor.stmt?.(stmt);
  switch (stmt.kind) {
    case "Expr":
      walkExpr(stmt.expr, visitor);
      break;
    case "Let":
    case "Break":
    case "Return":
    case "Throw":
      if (stmt.value !== null) walkExpr(stmt.value, visitor);
      break;
    case "Assign":
      walkExpr(stmt.target, visitor);
      walkExpr(stmt.value, visitor);
      break;
    case "Block":
      walkBlock(stmt.block, visitor);
      break;
    case "If":
      walkExpr(stmt.test, visitor);
      walkBlock(stmt.then, visitor);
      if (stmt.otherwise !== null) walkStmt(stmt.otherwise, visitor);
      break;
    case "Switch":
      walkExpr(stmt.subject, visitor);
      for (const arm of stmt.arms) {
        if (arm.guard !== null) walkExpr(arm.guard, visitor);
        walkStmt(arm.body, visitor);
      }
      break;
    case "While":
      if (stmt.test !== null) walkExpr(stmt.test, visitor);
      walkBlock(stmt.body, visitor);
      break;
    case "Do":
      walkBlock(stmt.body, visitor);
      walkExpr(stmt.test, visitor);
      break;
    case "For":
      walkExpr(stmt.iterable, visitor);
      walkBlock(stmt.body, visitor);
      break;
    case "Try":
      walkBlock(stmt.body, visitor);
      walkBlock(stmt.handler, visitor);
      break;
    case "Import":
      walkExpr(stmt.module, visitor);
      break;
  }
}

/** All closures of the statements, those inside closures included, outer ones first. */
export function closuresIn(body: readonly Stmt[]): Extract<Expr, { kind: "Closure" }>[] {
  const found: Extract<Expr, { kind: "Closure" }>[] = [];
  const visitor: Visitor = {
    expr(expr) {
      if (expr.kind !== "Closure") return;
      found.push(expr);
      walkBlock(expr.fn.body, visitor);
    },
  };
  for (const stmt of body) walkStmt(stmt, visitor);
  return found;
}

/** Whether any expression outside of inner closures passes the test. */
export function someExpr(body: readonly Stmt[], test: (expr: Expr) => boolean): boolean {
  let found = false;
  for (const stmt of body) {
    walkStmt(stmt, {
      expr(expr) {
        found ||= test(expr);
      },
    });
  }
  return found;
}

/**
 * Visits every expression and statement of a script: its own, those of its functions, and those of closures at any
 * depth, outer ones before what is inside of them.
 */
export function walkScript(script: Script, visitor: Visitor): void {
  const deep: Visitor = {
    ...visitor,
    expr(expr) {
      visitor.expr?.(expr);
      if (expr.kind === "Closure") walkBlock(expr.fn.body, deep);
    },
  };
  for (const stmt of script.body) walkStmt(stmt, deep);
  for (const fn of script.functions) walkBlock(fn.body, deep);
}
