import type { ChainExpr, ChainStep, Expr } from "../syntax/ast.ts";
import { RhaiArray, RhaiBlob, type Value } from "../runtime/values.ts";
import { exprPosition, startPosition } from "../syntax/expr-position.ts";
import { settled } from "./call.ts";
import { isSpecial } from "./call-effects.ts";
import { indexType, propertyType } from "./native-types.ts";
import { compileMethod } from "./method.ts";
import {
  combined,
  compileExpr,
  compileVariable,
  dynamicCell,
  operands,
  owned,
  thisCell,
} from "./expression.ts";
import { type FunctionWriter, type Operand, operand, stored } from "./function-writer.ts";
import { stringLiteral } from "./literal.ts";
import { ANY, isContainer, isInt } from "./types.ts";
import { getProperty, ownProperty } from "./property.ts";

export type MethodStep = Extract<ChainStep, { kind: "Method" }>;
export type PlaceStep = Exclude<ChainStep, MethodStep>;

/** What a chain starts from. */
export interface Base {
  readonly kind: "local" | "cell" | "this" | "temp";
  /** The value, as an expression. */
  readonly value: Operand;
  /** The identifier of the local or the expression of the cell. */
  readonly js: string;
  readonly constant: boolean;
}

/** A chain's base, its steps, and the evaluated arguments of each step. */
export interface ChainParts {
  readonly base: Base;
  readonly steps: readonly ChainStep[];
  readonly args: ReadonlyMap<ChainStep, readonly Operand[]>;
}

/** Something that a call may change, in a cell for as long as the call takes. */
export interface Place {
  readonly cell: string;
  /** What puts the value back afterwards. */
  readonly after: string | null;
}

/** The base of a chain with its arguments, evaluated in the official order: all arguments, then the root. */
export function chainParts(f: FunctionWriter, expr: ChainExpr): ChainParts {
  const exprs = expr.steps.flatMap(argumentsOf);
  let values = operands(f, exprs);
  const { root } = expr;
  // Arguments of a later method are evaluated before an earlier one is called.
  const methods = expr.steps.filter((step) => step.kind === "Method").length;
  const isPlace = (root.kind === "Var" && root.path.length === 0) || root.kind === "This";
  const { effects, writes } = combined(values);
  // A step before may fail, or end the chain, but not before the arguments of later ones were evaluated.
  const [nearest] = expr.steps;
  const early = nearest === undefined || nearest.optional ? 0 : argumentsOf(nearest).length;
  const lateMayFail = values.slice(early).some(mayFail);
  const variable = root.kind === "Var" && !f.dynamic ? f.find(root.name) : null;
  const isLocal = variable !== null && variable.kind !== "cell";
  let base: Base;
  if (isPlace) {
    // An unknown variable is told after what is wrong with the arguments.
    const unknown = root.kind === "Var" && !f.dynamic && variable === null;
    if (writes || unknown || lateMayFail || (effects && (!isLocal || methods > 1))) values = hold(f, values);
    f.count(startPosition(root));
    base = placeBase(f, root);
  } else {
    let value = operand("");
    const lines = f.capture(() => {
      value = compileExpr(f, root);
    });
    const eitherFails = lateMayFail || (mayFail(value) && values.some(mayFail));
    if (lines.length > 0 || (effects && (value.effects || methods > 1)) || writes || eitherFails)
      values = hold(f, values);
    f.lines.push(...lines);
    base = { kind: "temp", value, js: value.js, constant: false };
  }
  const args = new Map<ChainStep, Operand[]>();
  let at = 0;
  for (const step of expr.steps) {
    const count = argumentsOf(step).length;
    args.set(step, values.slice(at, at + count));
    at += count;
  }
  return { base, steps: expr.steps, args };
}

/** Whether evaluating an operand might be an error, so that its turn matters. */
const mayFail = (value: Operand): boolean => !value.simple && !value.constant && !/^k\d+$/.test(value.js);

function argumentsOf(step: ChainStep): readonly Expr[] {
  if (step.kind === "Index") return [step.index];
  return step.kind === "Method" ? step.args : [];
}

/** Evaluates operands now. */
function hold(f: FunctionWriter, values: readonly Operand[]): Operand[] {
  return values.map((value) => {
    if (value.constant) return value;
    const name = f.temp();
    f.emit(`${name} = ${owned(value)};`);
    return stored(name, value);
  });
}

function placeBase(f: FunctionWriter, root: Expr): Base {
  if (root.kind === "This") {
    const cell = thisCell(root.pos);
    return { kind: "this", value: operand(`${cell}.value`, { borrowed: true }), js: cell, constant: false };
  }
  if (root.kind !== "Var") throw new Error("only variables and `this` are places");
  if (f.dynamic) {
    const cell = dynamicCell(f, root.name, root.pos);
    return { kind: "cell", value: operand(`H.rd(${cell})`, { borrowed: true }), js: cell, constant: false };
  }
  const variable = f.find(root.name);
  const value = compileVariable(f, root.name, root.pos);
  if (variable === null) {
    // Constants of the host are read only, function names are values.
    const external = f.script.named(root.name) === null && f.script.constants.has(root.name);
    return { kind: "temp", value, js: value.js, constant: external };
  }
  // Nothing that is called on a bare number changes it.
  if (variable.kind === "float" || variable.kind === "likely")
    return { kind: "temp", value, js: value.js, constant: variable.constant };
  return { kind: variable.kind, value, js: variable.js, constant: variable.constant };
}

/** The base in a cell. */
export function cellOf(f: FunctionWriter, base: Base): Place {
  switch (base.kind) {
    case "this":
    case "cell":
      return { cell: base.js, after: null };
    case "temp":
      return {
        cell: base.constant ? `H.fixed(${base.value.js})` : `new H.Cell(${base.value.js})`,
        after: null,
      };
    case "local": {
      if (base.constant) return { cell: `H.fixed(${base.js})`, after: null };
      const cell = f.temp();
      const value = lendable(f, base);
      // One cell serves every time that the same call is made; nobody keeps it longer.
      return {
        cell: `((${cell} ??= new H.Cell(undefined)).value = ${value}, ${cell})`,
        after: `${base.js} = ${cell}.value`,
      };
    }
  }
}

/** The value of a local, made the function's own first if it may still be the caller's. */
const lendable = (f: FunctionWriter, base: Base): string =>
  f.lent.has(base.js) ? `(${base.js} = H.cp(${base.js}))` : base.js;

/** The place of a variable or of `this`. */
export function mutablePlace(f: FunctionWriter, expr: Expr): Place {
  return cellOf(f, placeBase(f, expr));
}

/** Runs what uses a place, puts the value back, and answers the result. */
export function restore(f: FunctionWriter, place: Place, js: string): string {
  if (place.after === null) return js;
  const result = f.temp();
  if (f.tries === 0) return `(${result} = ${js}, ${place.after}, ${result})`;
  // A handler may see the variable, so it must have its value even when the call fails.
  const cell = place.after.split(" = ")[1]?.split(".")[0] ?? "";
  f.emit(`${cell} = null;`);
  f.emit(`try { ${result} = ${js}; } finally { if (${cell} !== null) ${place.after}; }`);
  return result;
}

export function compileChain(f: FunctionWriter, expr: ChainExpr): Operand {
  const value = chainValue(f, expr);
  const type = f.types?.expression(expr) ?? ANY;
  return type === ANY ? value : operand(value.js, { ...value, ...type });
}

function chainValue(f: FunctionWriter, expr: ChainExpr): Operand {
  const parts = chainParts(f, expr);
  const { base, steps, args } = parts;
  if (steps.some((step) => step.optional) && steps.some((step) => step.kind === "Method"))
    return generic(f, parts, null);
  let current = base;
  let prefix: PlaceStep[] = [];
  let facts = combined([base.value, ...[...args.values()].flat()]);
  for (const step of steps) {
    if (step.kind !== "Method") {
      prefix.push(step);
      continue;
    }
    const value = compileMethod(f, current, prefix, step, args);
    facts = { effects: true, writes: facts.writes || value.writes };
    current = { kind: "temp", value, js: value.js, constant: false };
    prefix = [];
  }
  if (prefix.length === 0) return { ...current.value, ...facts };
  const js = read(f, current.value, prefix, args);
  const native = current.kind !== "temp" || current.value.borrowed;
  return operand(js, {
    borrowed: true,
    effects: facts.effects,
    writes: facts.writes,
    local: native && current.kind === "local",
  });
}

/** Properties and indices, read. */
export function read(
  f: FunctionWriter,
  start: Operand,
  steps: readonly PlaceStep[],
  args: ChainParts["args"],
): string {
  const [step, ...rest] = steps;
  if (step === undefined) return start.js;
  const known = step.optional ? null : readKnown(f, start, step, args);
  if (known !== null) return read(f, known, rest, args);
  if (!step.optional) return read(f, operand(readStep(f, start.js, step, args)), rest, args);
  const value = f.temp();
  const found = operand(readStep(f, value, step, args));
  return `((${value} = ${start.js}) === undefined ? undefined : ${read(f, found, rest, args)})`;
}

/** What can be read right away where the type of the target is known; null for everything else. */
function readKnown(
  f: FunctionWriter,
  target: Operand,
  step: PlaceStep,
  args: ChainParts["args"],
): Operand | null {
  if (!target.simple || !isContainer(target)) return null;
  if (step.kind === "Property") {
    if (step.name !== "len" || !hasStandardLength(f)) return null;
    const type = propertyType(f.script, target, "len");
    return operand(target.type === "blob" ? `${target.js}.length` : `${target.js}.items.length`, type);
  }
  const index = args.get(step)?.[0];
  if (target.type !== "blob" || index?.simple !== true || !isInt(index)) return null;
  const at = index.js;
  const slow = readStep(f, target.js, step, args);
  const js = `(${at} >= 0 && ${at} < ${target.js}.length ? ${target.js}.bytes[${at}] : ${slow})`;
  return operand(js, indexType(target, index));
}

function readStep(f: FunctionWriter, target: string, step: PlaceStep, args: ChainParts["args"]): string {
  if (step.kind === "Property") {
    const getter =
      f.script.natives.group(`get$${step.name}`, 1) === null ? "null" : f.script.group(`get$${step.name}`, 1);
    if (step.name === "len" && hasStandardLength(f))
      return `H.len(R, ${target}, ${getter}, ${step.pos}, ${step.opPos})`;
    return `${getProperty(f.script, step.name)}(R, ${target}, ${getter}, ${step.pos}, ${step.opPos})`;
  }
  const index = args.get(step)?.[0]?.js ?? "undefined";
  return `H.index(R, ${target}, ${index}, ${startPosition(step.index)}, ${step.opPos})`;
}

/** Whether `.len` of arrays and blobs is what the standard library makes of it, not a getter of the host. */
function hasStandardLength(f: FunctionWriter): boolean {
  const group = f.script.natives.group("get$len", 1);
  const standard = (value: Value): boolean => /^(array|blob)/.test(group?.find1(value)?.fn.package ?? "");
  return standard(new RhaiArray([])) && standard(new RhaiBlob(new Uint8Array(0)));
}

/** Like `read`, of places that are about to be changed: no storage that is shared with a copy is entered. */
export function readMutable(
  f: FunctionWriter,
  start: string,
  steps: readonly ChainStep[],
  args: ChainParts["args"],
): string {
  let js = start;
  for (const step of steps) {
    if (step.kind === "Property") js = `${ownProperty(f.script, step.name)}(${js})`;
    else if (step.kind === "Index") js = `H.mutableIndex(${js}, ${args.get(step)?.[0]?.js ?? "undefined"})`;
  }
  return js;
}

/** Whether arguments may be written more than once. */
export function makeSimple(
  f: FunctionWriter,
  args: ChainParts["args"],
): { args: ChainParts["args"]; set: string } {
  const sets: string[] = [];
  const result = new Map<ChainStep, Operand[]>();
  for (const [step, values] of args) {
    result.set(
      step,
      values.map((value) => {
        if (value.simple) return value;
        const name = f.temp();
        sets.push(`${name} = ${value.js}, `);
        return { ...value, js: name, bare: null, likely: null, simple: true };
      }),
    );
  }
  return { args: result, set: sets.join("") };
}

/** restore without statements: inside of a conditional expression nothing may be emitted. */
export function restoreInline(f: FunctionWriter, place: Place, js: string): string {
  if (place.after === null) return js;
  const result = f.temp();
  return `(${result} = ${js}, ${place.after}, ${result})`;
}

/** Arguments as the callee may keep them: a script function keeps all, a native those it says. */
export function methodArguments(
  f: FunctionWriter,
  base: Base,
  step: MethodStep,
  values: readonly Operand[],
): string[] {
  const scripted = f.script.hasMethod(step.name, step.args.length) || isSpecial(step.name);
  const group = f.script.natives.group(step.name, step.args.length + 1);
  return values.map((value, i) => {
    const kept = scripted || group === null || group.keeps.has(i + 1);
    return kept || (group.mutates && !isApart(base, value)) ? owned(value) : value.js;
  });
}

/** Whether an argument cannot share anything with the target: it is another variable that only this function sees. */
export const isApart = (base: Base, value: Operand): boolean =>
  value.local && value.simple && base.kind === "local" && value.js !== base.js;

export function methodSuspends(f: FunctionWriter, name: string, count: number): boolean {
  const { suspension, natives, functions } = f.script;
  if (!suspension.any) return false;
  const group = natives.group(name, count + 1);
  return (
    name === "call" ||
    group?.suspends === true ||
    group?.callsBack === true ||
    suspension.pointerProperty(name) ||
    functions.some((fn) => fn.suspends && fn.def.name === name && fn.def.params.length === count)
  );
}

/** The steps of a chain as the run time knows them, and the evaluated values that they refer to. */
function planOf(
  f: FunctionWriter,
  parts: ChainParts,
): { steps: string; values: string[]; mutating: boolean } {
  const { base, steps, args } = parts;
  const values: string[] = [];
  const plan: string[] = [];
  let mutating = false;
  for (const step of steps) {
    const at = values.length;
    const own = args.get(step) ?? [];
    const optional = step.optional ? ", true" : "";
    if (step.kind === "Property") {
      plan.push(`H.propertyStep(${stringLiteral(step.name)}, ${step.pos}, ${step.opPos}${optional})`);
    } else if (step.kind === "Index") {
      values.push(own[0]?.js ?? "undefined");
      plan.push(`H.indexStep(${at}, ${startPosition(step.index)}, ${step.opPos}${optional})`);
    } else {
      const count = step.args.length;
      values.push(...methodArguments(f, base, step, own));
      const group = f.script.natives.group(step.name, count + 1);
      mutating ||=
        group === null || group.mutates || f.script.hasMethod(step.name, count) || step.name === "call";
      const argPos = step.args[0] === undefined ? 0 : exprPosition(step.args[0]);
      const site = f.script.site(step.name, count);
      plan.push(`H.methodStep(${site}, ${at}, ${count}, ${step.pos}, ${argPos}${optional})`);
    }
  }
  return { steps: `[${plan.join(", ")}]`, values, mutating };
}

/** The assignment at the end of a chain without methods, in full generality. `operator` is an AssignmentPlan. */
export function assignInGeneral(
  f: FunctionWriter,
  parts: ChainParts,
  operator: string,
  value: Operand,
): string {
  const { base } = parts;
  const { steps, values } = planOf(f, parts);
  // Seldom needed, so it is only made then.
  const plan = `{steps: ${steps}, mutating: true, operator: ${operator}}`;
  const given = `[${values.join(", ")}], ${owned(value)}`;
  if (base.kind === "local" && !base.constant && f.tries === 0)
    return `${base.js} = H.assignLocal(R, ${plan}, ${lendable(f, base)}, ${given})`;
  const place = cellOf(f, base);
  const lock = base.kind === "cell" && !f.dynamic;
  return restore(f, place, `H.assignChain(R, ${plan}, ${place.cell}, ${given}, ${lock})`);
}

/** The chain in full generality, at run time. `assignment` is the expression of an Assignment. */
export function generic(
  f: FunctionWriter,
  parts: ChainParts,
  assignment: string | null,
  inline = false,
): Operand {
  const { base, steps } = parts;
  const { steps: list, values, mutating } = planOf(f, parts);
  const planName = f.script.constant(`{steps: ${list}, mutating: ${mutating || assignment !== null}}`);
  const place = cellOf(f, base);
  const lock = base.kind === "cell" && !f.dynamic;
  const call = `H.chain(R, ${planName}, ${place.cell}, [${values.join(", ")}], ${assignment ?? "null"}, ${lock})`;
  const suspends =
    f.script.suspension.any &&
    steps.some((step) => step.kind === "Method" && methodSuspends(f, step.name, step.args.length));
  const js = suspends ? settled(f, call) : call;
  const last = steps.at(-1);
  return operand(inline ? restoreInline(f, place, js) : restore(f, place, js), {
    borrowed: last?.kind !== "Method",
    effects: true,
    writes: place.after !== null,
  });
}
