import type { Block, Expr, Ident, Stmt } from "../syntax/ast.ts";

/**
 * The variables of one function (or of the script body) that must live in a cell: closures capture them, or they are
 * exported. Identified by the Ident that declares them.
 */
export function capturedVariables(params: readonly Ident[], body: readonly Stmt[]): ReadonlySet<Ident> {
  const finder = new CaptureFinder();
  finder.scope.push(...params);
  finder.statements(body);
  return finder.captured;
}

class CaptureFinder {
  readonly captured = new Set<Ident>();
  readonly scope: Ident[] = [];

  statements(body: readonly Stmt[]): void {
    for (const stmt of body) this.stmt(stmt);
  }

  block(block: Block, ...declared: (Ident | null)[]): void {
    const outer = this.scope.length;
    for (const ident of declared) if (ident !== null) this.scope.push(ident);
    this.statements(block.body);
    this.scope.length = outer;
  }

  mark(name: string): void {
    const found = this.scope.findLast((ident) => ident.name === name);
    if (found !== undefined) this.captured.add(found);
  }

  stmt(stmt: Stmt): void {
    switch (stmt.kind) {
      case "Expr":
        return this.expr(stmt.expr);
      case "Let":
        if (stmt.value !== null) this.expr(stmt.value);
        this.scope.push(stmt.name);
        if (stmt.exported) this.captured.add(stmt.name);
        return;
      case "Export":
        return this.mark(stmt.name.name);
      case "Assign":
        this.expr(stmt.value);
        return this.expr(stmt.target);
      case "Block":
        return this.block(stmt.block);
      case "If":
        this.expr(stmt.test);
        this.block(stmt.then);
        if (stmt.otherwise !== null) this.stmt(stmt.otherwise);
        return;
      case "Switch":
        this.expr(stmt.subject);
        for (const arm of stmt.arms) {
          if (arm.guard !== null) this.expr(arm.guard);
          this.inner(arm.body);
        }
        return;
      case "While":
        if (stmt.test !== null) this.expr(stmt.test);
        return this.block(stmt.body);
      case "Do":
        this.block(stmt.body);
        return this.expr(stmt.test);
      case "For":
        this.expr(stmt.iterable);
        return this.block(stmt.body, stmt.counter, stmt.item);
      case "Break":
      case "Return":
      case "Throw":
        if (stmt.value !== null) this.expr(stmt.value);
        return;
      case "Try":
        this.block(stmt.body);
        return this.block(stmt.handler, stmt.variable);
      case "Import":
        return this.expr(stmt.module);
    }
  }

  /** A statement in a scope of its own. */
  inner(stmt: Stmt): void {
    const outer = this.scope.length;
    this.stmt(stmt);
    this.scope.length = outer;
  }

  expr(expr: Expr): void {
    switch (expr.kind) {
      case "Interpolated":
        return expr.parts.forEach((part) => this.expr(part));
      case "Array":
        return expr.items.forEach((item) => this.expr(item));
      case "Map":
        return expr.entries.forEach((entry) => this.expr(entry.value));
      case "Call":
        return expr.args.forEach((arg) => this.expr(arg));
      case "Chain":
        this.expr(expr.root);
        for (const step of expr.steps) {
          if (step.kind === "Index") this.expr(step.index);
          if (step.kind === "Method") step.args.forEach((arg) => this.expr(arg));
        }
        return;
      case "Unary":
        return this.expr(expr.operand);
      case "Binary":
      case "Logical":
        this.expr(expr.left);
        return this.expr(expr.right);
      case "Closure":
        for (const capture of expr.captures) this.mark(capture.name);
        return;
      case "StmtExpr":
        return this.inner(expr.stmt);
    }
  }
}
