import type { BinaryOp, CallExpr, ChainExpr, ChainStep, Expr, Ident, Stmt } from "../syntax/ast.ts";
import type { NativeGroup } from "../runtime/natives.ts";
import { type Definition, findLocals, type Locals } from "./locals.ts";
import { callEffects, isSpecial } from "./call-effects.ts";
import { indexType, nativeType, propertyType } from "./native-types.ts";
import type { ScriptWriter } from "./script-writer.ts";
import {
  ANY,
  ARRAY,
  binaryType,
  BOOL,
  FLOAT,
  INT,
  isArithmetic,
  isContainer,
  join,
  literalInt,
  numberOf,
  OTHER,
  STRING,
  type Typed,
  unaryType,
  UNIT,
} from "./types.ts";

/** What is known about the variables of a function before it is compiled. */
export interface Analysis {
  /** Those that live in cells. */
  readonly captured: ReadonlySet<Ident>;
  readonly types: Types | null;
}

/** Where variables are only found when the code runs. */
export const NOTHING_KNOWN: Analysis = { captured: new Set(), types: null };

export function analyse(script: ScriptWriter, params: readonly Ident[], body: readonly Stmt[]): Analysis {
  const locals = findLocals(params, body, callEffects(script));
  return { captured: locals.captured, types: script.inferTypes ? new Types(script, locals) : null };
}

/**
 * The types of the variables of one function: each has the join of the types of all values that it is ever given,
 * wherever that happens. Variables that closures share, parameters and caught errors can hold anything.
 *
 * A type of null is that of a value that does not come to be, as far as is known yet: the search begins with it for
 * every variable and goes on until nothing changes.
 */
export class Types {
  readonly #script: ScriptWriter;
  readonly #locals: Locals;
  readonly #known = new Map<Ident, Typed>();

  constructor(script: ScriptWriter, locals: Locals) {
    this.#script = script;
    this.#locals = locals;
    this.#solve();
  }

  variable(ident: Ident): Typed {
    return this.#known.get(ident) ?? ANY;
  }

  /**
   * Whether a variable of which nothing is certain is likely to hold floats: it begins with one, and everything else
   * is calculated.
   */
  isLikelyFloat(ident: Ident): boolean {
    if (this.variable(ident).type !== "any" || this.#locals.captured.has(ident)) return false;
    const sources = this.#locals.definitions.get(ident) ?? [];
    const [first] = sources;
    if (first?.kind !== "value" || first.expr === null || this.#expr(first.expr)?.type !== "float")
      return false;
    return sources.every(
      (source) =>
        (source.kind === "update" && isArithmetic(source.op.slice(0, -1))) ||
        (source.kind === "value" && source.expr !== null && this.#isCalculated(source.expr)),
    );
  }

  #isCalculated(expr: Expr): boolean {
    return (expr.kind === "Binary" && isArithmetic(expr.op)) || this.#expr(expr)?.type === "float";
  }

  expression(expr: Expr): Typed {
    return this.#expr(expr) ?? ANY;
  }

  #solve(): void {
    const { captured, definitions } = this.#locals;
    for (const ident of captured) this.#known.set(ident, ANY);
    if (definitions.size === 0) return;
    let open = [...definitions].filter(([ident]) => !captured.has(ident));
    for (let pass = 1, changed = true; changed; pass++) {
      changed = false;
      for (const [ident, sources] of open) {
        const before = this.#known.get(ident) ?? null;
        const found = this.#ofDefinitions(ident, sources);
        if (found === null) continue;
        const now = before === null ? found : join(before, found);
        if (before !== null && before.type === now.type && before.bits === now.bits) continue;
        // An integer that went on growing has no bound that would be worth looking for.
        this.#known.set(ident, pass > MOST_PASSES && now.type === "number" ? INT : now);
        changed = true;
      }
      if (changed) open = open.filter(([ident]) => this.#known.get(ident)?.type !== "any");
    }
  }

  #ofDefinitions(ident: Ident, sources: readonly Definition[]): Typed | null {
    const steps = sources.filter(isStep);
    const start = this.#joined(ident, steps.length === 0 ? sources : sources.filter((one) => !isStep(one)));
    if (steps.length === 0 || start === null) return start;
    if (start.type === "number" && start.bits < ROUNDS_BITS) return numberOf(ROUNDS_BITS);
    return this.#joined(ident, sources);
  }

  #joined(ident: Ident, sources: readonly Definition[]): Typed | null {
    let result: Typed | null = null;
    for (const source of sources) {
      const type = this.#definition(ident, source);
      if (type !== null) result = result === null ? type : join(result, type);
      if (result?.type === "any") break;
    }
    return result;
  }

  #definition(ident: Ident, source: Definition): Typed | null {
    const own = this.#known.get(ident) ?? null;
    switch (source.kind) {
      case "value":
        return source.expr === null ? UNIT : this.#expr(source.expr);
      case "update": {
        const operand = this.#expr(source.expr);
        if (own === null || operand === null) return null;
        return UPDATES.has(source.op) ? binaryType(source.op.slice(0, -1) as BinaryOp, own, operand) : ANY;
      }
      case "item":
        return this.#item(source.iterable);
      case "rounds":
        return numberOf(ROUNDS_BITS);
      case "change":
        return own === null || isContainer(own) ? own : ANY;
      case "unknown":
        return ANY;
    }
  }

  /** The integers of a range; what else can be gone through has items of any type. */
  #item(iterable: Expr): Typed | null {
    const range = asRange(iterable);
    if (range === null || !this.#isStandard(range.op)) return ANY;
    const from = this.#expr(range.left);
    const to = this.#expr(range.right);
    if (from === null || to === null) return null;
    if (!this.countsNumbers(range.op, from, to)) return INT;
    const end = to.type === "number" ? Math.min(to.bits, ROUNDS_BITS) : ROUNDS_BITS;
    return numberOf(Math.max(from.bits, end));
  }

  /** Whether a loop through such a range, if it is one, only meets JavaScript numbers. */
  countsNumbers(op: string, from: Typed, to: Typed): boolean {
    if (from.type !== "number" || !this.#isStandard(op)) return false;
    return to.type === "number" || from.bits < ROUNDS_BITS;
  }

  /** Whether an operator makes nothing but ranges of integers. */
  #isStandard(op: string): boolean {
    const overloads = this.#script.natives.group(op, 2)?.overloads ?? [];
    return overloads.every(({ fn }) => fn.package !== undefined);
  }

  #expr(expr: Expr): Typed | null {
    switch (expr.kind) {
      case "Unit":
        return UNIT;
      case "Bool":
        return BOOL;
      case "Int":
        return literalInt(expr.value);
      case "Float":
        return FLOAT;
      case "Str":
      case "Interpolated":
        return STRING;
      case "Array":
        return ARRAY;
      case "Char":
      case "Map":
      case "Closure":
        return OTHER;
      case "Var": {
        const ident = this.#locals.uses.get(expr);
        if (ident === undefined || !this.#locals.definitions.has(ident)) return ANY;
        return this.#known.get(ident) ?? null;
      }
      case "This":
        return ANY;
      case "Call":
        return this.#call(expr);
      case "Chain":
        return this.#chain(expr);
      case "Unary": {
        const operand = this.#expr(expr.operand);
        return operand === null ? null : unaryType(expr.op, operand);
      }
      case "Binary": {
        if (expr.op === "in" || expr.op === "!in") return ANY;
        const left = this.#expr(expr.left);
        const right = this.#expr(expr.right);
        return left === null || right === null ? null : binaryType(expr.op, left, right);
      }
      case "Logical":
        return expr.op === "??" ? ANY : BOOL;
      case "StmtExpr":
        return this.#stmt(expr.stmt);
    }
  }

  /** The value of a statement. Loops and `try` are not looked into. */
  #stmt(stmt: Stmt | null): Typed | null {
    switch (stmt?.kind) {
      case "Expr":
        return this.#expr(stmt.expr);
      case "Block":
        return this.#block(stmt.block.body);
      case "If":
        return either([this.#block(stmt.then.body), this.#stmt(stmt.otherwise)]);
      case "Switch": {
        const arms = stmt.arms.map((arm) => this.#stmt(arm.body));
        const complete = stmt.arms.some((arm) => arm.patterns.length === 0);
        return either(complete ? arms : [...arms, UNIT]);
      }
      case "Return":
      case "Throw":
      case "Break":
      case "Continue":
        return null;
      case undefined:
      case "Let":
      case "Assign":
      case "Noop":
        return UNIT;
      default:
        return ANY;
    }
  }

  #block(body: readonly Stmt[]): Typed | null {
    return this.#stmt(body.at(-1) ?? null);
  }

  #call(expr: CallExpr): Typed | null {
    const { name, args } = expr;
    if (expr.path.length > 0 || expr.capturesScope || KEYWORDS.has(name)) return ANY;
    if (this.#script.isEval || this.#script.find(name, args.length) !== null) return ANY;
    return this.#native(this.#script.natives.group(name, args.length), args);
  }

  #native(group: NativeGroup | null, args: readonly Expr[], first: readonly Typed[] = []): Typed | null {
    if (group === null) return ANY;
    const types = [...first];
    for (const arg of args) {
      const type = this.#expr(arg);
      if (type === null) return null;
      types.push(type);
    }
    return nativeType(group, types);
  }

  #chain({ root, steps }: ChainExpr): Typed | null {
    let type = this.#expr(root);
    for (const step of steps) {
      if (type === null || type.type === "any" || step.optional) return type === null ? null : ANY;
      type = this.#step(type, step);
    }
    return type;
  }

  /** What a link of a chain makes of a value whose type is known. */
  #step(target: Typed, step: ChainStep): Typed | null {
    switch (step.kind) {
      case "Property":
        return propertyType(this.#script, target, step.name);
      case "Index": {
        const index = this.#expr(step.index);
        return index === null ? null : indexType(target, index);
      }
      case "Method": {
        const group = this.#script.natives.group(step.name, step.args.length + 1);
        const open = isSpecial(step.name) || this.#script.hasMethod(step.name, step.args.length);
        // A map may hold a function under the name.
        return open || target.type === "other" ? ANY : this.#native(group, step.args, [target]);
      }
    }
  }
}

/** A loop does not go through 2 ** 51 rounds: it would take weeks to. So what is counted in rounds stays below. */
const ROUNDS_BITS = 52;

const MOST_PASSES = 6;

const UPDATES: ReadonlySet<string> = new Set(["+=", "-=", "*=", "/=", "%=", "&=", "|=", "^="]);

/** Functions that the language itself provides. */
const KEYWORDS: ReadonlySet<string> = new Set([
  "call",
  "Fn",
  "curry",
  "is_shared",
  "type_of",
  "is_def_fn",
  "is_def_var",
  "eval",
]);

/** `x += 1` and `x -= 1`: of an integer, what a loop can do no more often than it has rounds. */
const isStep = (source: Definition): boolean =>
  source.kind === "update" &&
  (source.op === "+=" || source.op === "-=") &&
  source.expr.kind === "Int" &&
  (source.expr.value === 1 || source.expr.value === -1);

export function asRange(expr: Expr): Extract<Expr, { kind: "Binary" }> | null {
  return expr.kind === "Binary" && (expr.op === ".." || expr.op === "..=") ? expr : null;
}

function either(types: readonly (Typed | null)[]): Typed | null {
  const values = types.filter((type) => type !== null);
  return values.length === 0 ? null : values.reduce(join);
}
