import { walkScript } from "../rhai/index.ts";
import type { Block, CallExpr, ChainStep, Expr, FnDef, Script, Stmt } from "../rhai/syntax/index.ts";
import type { EffectsUnit, ScriptWrite } from "../services/catalog/index.ts";

/** What a variable is known to hold. Null: something else, or nobody can tell without running it. */
type Known =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "collection"; readonly service: "kv" | "docs"; readonly name: string }
  | null;

type Scope = { readonly outer: Scope | null; readonly names: Map<string, Known> };

/** Which events a method of a collection can cause. What only reads is not here. */
const METHODS: Readonly<Record<"kv" | "docs", Readonly<Record<string, readonly string[]>>>> = {
  kv: {
    set: ["insert", "update"],
    set_if: ["insert", "update"],
    incr: ["insert", "update"],
    delete: ["delete"],
  },
  docs: { create: ["create"], update: ["update"], patch: ["update"], delete: ["delete"] },
};

/**
 * What a script may write to collections and topics that its text names, of its body and of each of its functions, and
 * what each of them calls. It only follows what is plain to see: literals, constants, and variables that are given such
 * or `kv::collection("c")`. What is computed is left out, so nothing here is more than the text says; whether a line is
 * ever reached is not asked.
 */
export function effectsOf(script: Script): readonly EffectsUnit[] {
  const names = new Set(script.functions.map(({ name }) => name));
  const aliases = moduleAliases(script);
  const constants: Scope = { outer: null, names: new Map() };
  for (const stmt of script.body) {
    if (stmt.kind === "Let" && stmt.constant && stmt.value !== null)
      constants.names.set(stmt.name.name, evaluate(stmt.value, constants, constants));
  }
  const units = new Map<string, Unit>();
  const unit = (name: string): Unit => {
    const known = units.get(name) ?? new Unit(name, names, aliases, constants);
    units.set(name, known);
    return known;
  };
  unit("").statements(script.body, { outer: null, names: new Map() });
  // Those of one name that differ in their parameters are taken together.
  for (const fn of script.functions) unit(fn.name).callable(fn, null);
  return [...units.values()].flatMap((one) => one.effects() ?? []);
}

/** The body of a script, or its functions of one name. */
class Unit {
  readonly #name: string;
  readonly #functions: ReadonlySet<string>;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #constants: Scope;
  readonly #writes = new Map<string, ScriptWrite>();
  readonly #calls = new Set<string>();

  constructor(
    name: string,
    functions: ReadonlySet<string>,
    aliases: ReadonlyMap<string, string>,
    constants: Scope,
  ) {
    this.#name = name;
    this.#functions = functions;
    this.#aliases = aliases;
    this.#constants = constants;
  }

  /** Null: it has none. */
  effects(): EffectsUnit | null {
    if (this.#writes.size === 0 && this.#calls.size === 0) return null;
    return { name: this.#name, writes: [...this.#writes.values()], calls: [...this.#calls] };
  }

  callable({ params, body }: FnDef, outer: Scope | null): void {
    const names = new Map(params.map(({ name }) => [name, null] as const));
    this.statements(body.body, { outer, names });
  }

  statements(body: readonly Stmt[], scope: Scope): void {
    for (const stmt of body) this.#statement(stmt, scope);
  }

  #block({ body }: Block, outer: Scope, ...unknown: readonly string[]): void {
    this.statements(body, { outer, names: new Map(unknown.map((name) => [name, null])) });
  }

  #statement(stmt: Stmt, scope: Scope): void {
    switch (stmt.kind) {
      case "Let":
        if (stmt.value !== null) this.#expression(stmt.value, scope);
        scope.names.set(
          stmt.name.name,
          stmt.value === null ? null : evaluate(stmt.value, scope, this.#constants),
        );
        return;
      case "Expr":
        return this.#expression(stmt.expr, scope);
      case "Assign":
        this.#expression(stmt.target, scope);
        this.#expression(stmt.value, scope);
        if (stmt.target.kind === "Var") forget(scope, stmt.target.name);
        return;
      case "Block":
        return this.#block(stmt.block, scope);
      case "If":
        this.#expression(stmt.test, scope);
        this.#block(stmt.then, scope);
        if (stmt.otherwise !== null) this.#statement(stmt.otherwise, scope);
        return;
      case "Switch":
        this.#expression(stmt.subject, scope);
        for (const arm of stmt.arms) {
          if (arm.guard !== null) this.#expression(arm.guard, scope);
          this.#statement(arm.body, scope);
        }
        return;
      case "While":
        if (stmt.test !== null) this.#expression(stmt.test, scope);
        return this.#block(stmt.body, scope);
      case "Do":
        this.#block(stmt.body, scope);
        return this.#expression(stmt.test, scope);
      case "For":
        this.#expression(stmt.iterable, scope);
        return this.#block(
          stmt.body,
          scope,
          stmt.item.name,
          ...(stmt.counter === null ? [] : [stmt.counter.name]),
        );
      case "Try":
        this.#block(stmt.body, scope);
        return this.#block(stmt.handler, scope, ...(stmt.variable === null ? [] : [stmt.variable.name]));
      case "Break":
      case "Return":
      case "Throw":
        if (stmt.value !== null) this.#expression(stmt.value, scope);
        return;
      case "Import":
        // Its constants are computed by importing it.
        if (stmt.module.kind === "Str") this.#calls.add(`${stmt.module.value}::`);
        return this.#expression(stmt.module, scope);
    }
  }

  #expression(expr: Expr, scope: Scope): void {
    const each = (parts: readonly Expr[]): void => {
      for (const part of parts) this.#expression(part, scope);
    };
    switch (expr.kind) {
      case "Interpolated":
        return each(expr.parts);
      case "Array":
        return each(expr.items);
      case "Map":
        return each(expr.entries.map(({ value }) => value));
      case "Unary":
        return this.#expression(expr.operand, scope);
      case "Binary":
      case "Logical":
        return each([expr.left, expr.right]);
      case "StmtExpr":
        return this.#statement(expr.stmt, scope);
      case "Closure":
        return this.callable(expr.fn, scope);
      case "Var":
        // The name of a function stands for a pointer to it.
        if (expr.path.length === 0 && this.#functions.has(expr.name) && !isVariable(scope, expr.name))
          this.#calls.add(expr.name);
        return;
      case "Call":
        this.#call(expr, scope);
        return each(expr.args);
      case "Chain":
        return this.#chain(expr.root, expr.steps, scope);
    }
  }

  #call({ name, path, args }: CallExpr, scope: Scope): void {
    const [space, ...further] = path.map((segment) => segment.name);
    const [first] = args;
    if (space === undefined) {
      if (this.#functions.has(name)) this.#calls.add(name);
      const target = first === undefined ? null : evaluate(first, scope, this.#constants);
      if (name === "Fn" && target?.kind === "text") this.#calls.add(target.text);
      // A method may be called like a function.
      this.#method(target, name);
    } else if (further.length === 0) {
      const module = this.#aliases.get(space);
      if (module !== undefined) this.#calls.add(`${module}::${name}`);
      else if (space === "pubsub" && name === "publish_durable" && first !== undefined) {
        const topic = evaluate(first, scope, this.#constants);
        if (topic?.kind === "text") this.#write({ service: "pubsub", name: topic.text, ops: ["publish"] });
      }
    }
  }

  #chain(root: Expr, steps: readonly ChainStep[], scope: Scope): void {
    this.#expression(root, scope);
    const [first] = steps;
    if (first?.kind === "Method") this.#method(evaluate(root, scope, this.#constants), first.name);
    for (const step of steps) {
      if (step.kind === "Index") this.#expression(step.index, scope);
      if (step.kind !== "Method") continue;
      // With the value as `this`.
      if (this.#functions.has(step.name)) this.#calls.add(step.name);
      for (const arg of step.args) this.#expression(arg, scope);
    }
  }

  #method(target: Known, name: string): void {
    if (target?.kind !== "collection") return;
    const ops = Object.hasOwn(METHODS[target.service], name) ? METHODS[target.service][name] : undefined;
    if (ops !== undefined) this.#write({ service: target.service, name: target.name, ops });
  }

  #write({ service, name, ops }: ScriptWrite): void {
    const key = `${service} ${name}`;
    const before = this.#writes.get(key)?.ops ?? [];
    this.#writes.set(key, { service, name, ops: [...new Set([...before, ...ops])] });
  }
}

function evaluate(expr: Expr, scope: Scope, constants: Scope): Known {
  if (expr.kind === "Str") return { kind: "text", text: expr.value };
  if (expr.kind === "Var") {
    const [space, ...further] = expr.path.map(({ name }) => name);
    if (space === undefined) return lookUp(scope, expr.name);
    return space === "global" && further.length === 0 ? lookUp(constants, expr.name) : null;
  }
  if (expr.kind === "Binary" && expr.op === "+") {
    const left = evaluate(expr.left, scope, constants);
    const right = evaluate(expr.right, scope, constants);
    return left?.kind === "text" && right?.kind === "text"
      ? { kind: "text", text: left.text + right.text }
      : null;
  }
  if (expr.kind !== "Call" || expr.name !== "collection" || expr.path.length !== 1) return null;
  const service = expr.path[0]?.name;
  const [first] = expr.args;
  const name = first === undefined ? null : evaluate(first, scope, constants);
  if (name?.kind !== "text" || (service !== "kv" && service !== "docs")) return null;
  return { kind: "collection", service, name: name.text };
}

function lookUp(scope: Scope | null, name: string): Known {
  for (let at = scope; at !== null; at = at.outer) {
    const known = at.names.get(name);
    if (known !== undefined) return known;
  }
  return null;
}

function isVariable(scope: Scope | null, name: string): boolean {
  for (let at = scope; at !== null; at = at.outer) if (at.names.has(name)) return true;
  return false;
}

function forget(scope: Scope | null, name: string): void {
  for (let at = scope; at !== null; at = at.outer) {
    if (!at.names.has(name)) continue;
    at.names.set(name, null);
    return;
  }
}

/** Which module each name stands for that one is imported as; none for names of several. */
function moduleAliases(script: Script): ReadonlyMap<string, string> {
  const modules = new Map<string, Set<string>>();
  walkScript(script, {
    stmt(stmt) {
      if (stmt.kind !== "Import" || stmt.module.kind !== "Str" || stmt.alias === null) return;
      const known = modules.get(stmt.alias.name) ?? new Set();
      modules.set(stmt.alias.name, known.add(stmt.module.value));
    },
  });
  return new Map(
    [...modules].flatMap(([alias, [first, ...others]]) =>
      first === undefined || others.length > 0 ? [] : [[alias, first]],
    ),
  );
}
