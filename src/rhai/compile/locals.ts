import type { AssignOp, Block, CallExpr, ChainExpr, Expr, Ident, Stmt } from "../syntax/ast.ts";

/** Where a value of a variable comes from. */
export type Definition =
  /** The value of an expression; null for `()`. */
  | { readonly kind: "value"; readonly expr: Expr | null }
  /** `x op= value`. */
  | { readonly kind: "update"; readonly op: AssignOp; readonly expr: Expr }
  /** The items of what a loop goes through. */
  | { readonly kind: "item"; readonly iterable: Expr }
  /** The rounds of a loop. */
  | { readonly kind: "rounds" }
  /** Changed where it is: a container stays what it is, anything else may become another value. */
  | { readonly kind: "change" }
  | { readonly kind: "unknown" };

/** The variables of one function or of the script body, each identified by the Ident that declares it. */
export interface Locals {
  /** Those that must live in a cell: closures capture them, or they are exported. */
  readonly captured: ReadonlySet<Ident>;
  /** Every way in which a variable gets a value. Parameters have none. */
  readonly definitions: ReadonlyMap<Ident, readonly Definition[]>;
  /** What each mention of a variable means. */
  readonly uses: ReadonlyMap<Expr, Ident>;
}

/** What calls may do to the variable that they are applied to. */
export interface CallEffects {
  /** Of `name(variable, …)`. */
  call(expr: CallExpr): "none" | "change";
  /** Of the first method of a chain that begins with the variable. */
  method(name: string, count: number): "none" | "change" | "unknown";
}

export function findLocals(params: readonly Ident[], body: readonly Stmt[], effects: CallEffects): Locals {
  const finder = new LocalFinder(effects);
  finder.scope.push(...params);
  finder.statements(body);
  return finder;
}

class LocalFinder implements Locals {
  readonly captured = new Set<Ident>();
  readonly definitions = new Map<Ident, Definition[]>();
  readonly uses = new Map<Expr, Ident>();
  readonly scope: Ident[] = [];
  readonly #effects: CallEffects;

  constructor(effects: CallEffects) {
    this.#effects = effects;
  }

  declare(ident: Ident, ...definitions: Definition[]): void {
    this.definitions.set(ident, definitions);
    this.scope.push(ident);
  }

  find(name: string): Ident | undefined {
    return this.scope.findLast((ident) => ident.name === name);
  }

  /** Notes that the variable at the root of an expression gets a value. */
  define(root: Expr | undefined, definition: Definition): void {
    if (root?.kind !== "Var" || root.path.length > 0) return;
    const ident = this.find(root.name);
    if (ident !== undefined) this.definitions.get(ident)?.push(definition);
  }

  statements(body: readonly Stmt[]): void {
    for (const stmt of body) this.stmt(stmt);
  }

  block(block: Block): void {
    const outer = this.scope.length;
    this.statements(block.body);
    this.scope.length = outer;
  }

  mark(name: string): void {
    const found = this.find(name);
    if (found !== undefined) this.captured.add(found);
  }

  stmt(stmt: Stmt): void {
    switch (stmt.kind) {
      case "Expr":
        return this.expr(stmt.expr);
      case "Let":
        if (stmt.value !== null) this.expr(stmt.value);
        this.declare(stmt.name, { kind: "value", expr: stmt.value });
        if (stmt.exported) this.captured.add(stmt.name);
        return;
      case "Export":
        return this.mark(stmt.name.name);
      case "Assign":
        this.expr(stmt.value);
        this.expr(stmt.target);
        return this.#assign(stmt);
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
        return this.#loop(stmt);
      case "Break":
      case "Return":
      case "Throw":
        if (stmt.value !== null) this.expr(stmt.value);
        return;
      case "Try":
        this.block(stmt.body);
        return this.#handler(stmt.handler, stmt.variable);
      case "Import":
        return this.expr(stmt.module);
    }
  }

  #assign({ target, op, value }: Extract<Stmt, { kind: "Assign" }>): void {
    if (target.kind === "Chain") return this.define(target.root, { kind: "change" });
    this.define(target, op === "=" ? { kind: "value", expr: value } : { kind: "update", op, expr: value });
  }

  #loop(stmt: Extract<Stmt, { kind: "For" }>): void {
    const outer = this.scope.length;
    if (stmt.counter !== null) this.declare(stmt.counter, { kind: "rounds" });
    this.declare(stmt.item, { kind: "item", iterable: stmt.iterable });
    this.statements(stmt.body.body);
    this.scope.length = outer;
  }

  #handler(block: Block, variable: Ident | null): void {
    const outer = this.scope.length;
    if (variable !== null) this.declare(variable, { kind: "unknown" });
    this.statements(block.body);
    this.scope.length = outer;
  }

  /** A statement in a scope of its own. */
  inner(stmt: Stmt): void {
    const outer = this.scope.length;
    this.stmt(stmt);
    this.scope.length = outer;
  }

  expr(expr: Expr): void {
    switch (expr.kind) {
      case "Var": {
        const ident = expr.path.length === 0 ? this.find(expr.name) : undefined;
        if (ident !== undefined) this.uses.set(expr, ident);
        return;
      }
      case "Interpolated":
        return expr.parts.forEach((part) => this.expr(part));
      case "Array":
        return expr.items.forEach((item) => this.expr(item));
      case "Map":
        return expr.entries.forEach((entry) => this.expr(entry.value));
      case "Call":
        if (this.#effects.call(expr) === "change") this.define(expr.args[0], { kind: "change" });
        return expr.args.forEach((arg) => this.expr(arg));
      case "Chain":
        this.#applied(expr);
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

  /** What comes after the first method of a chain is applied to its result. */
  #applied({ root, steps }: ChainExpr): void {
    const at = steps.findIndex((step) => step.kind === "Method");
    const step = steps[at];
    if (root.kind !== "Var" || step?.kind !== "Method") return;
    const effect = this.#effects.method(step.name, step.args.length);
    // An element that becomes another value changes what it is in.
    if (effect !== "none") this.define(root, { kind: at > 0 ? "change" : effect });
  }
}
