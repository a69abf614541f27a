import type { Expr, FnDef, Script, Stmt } from "../syntax/ast.ts";
import type { NativeTable } from "../runtime/natives.ts";
import { closuresIn, type Visitor, walkScript, walkStmt } from "./walk.ts";

/**
 * Which functions of a script may suspend: those that can reach, by name and parameter count, a native that does.
 * Calls through function pointers are taken to suspend as soon as anything in the script does.
 */
export interface Suspension {
  /** Whether anything in the script may. */
  readonly any: boolean;
  readonly main: boolean;
  suspends(def: FnDef): boolean;
  /** Whether a method call of this name may meet a function that is a property of a map. */
  pointerProperty(name: string): boolean;
}

const NEVER: Suspension = { any: false, main: false, suspends: () => false, pointerProperty: () => false };

/** `force` treats every function as one that may suspend, for tests. */
export function findSuspension(script: Script, natives: NativeTable, force: boolean): Suspension {
  if (force) return { any: true, main: true, suspends: () => true, pointerProperty: () => true };
  if (!mayStart(script, natives)) return NEVER;
  const bodies: { def: FnDef | null; facts: Facts }[] = [{ def: null, facts: factsOf(script.body) }];
  for (const def of script.functions) bodies.push({ def, facts: factsOf(def.body.body) });
  const closures = [
    ...closuresIn(script.body),
    ...script.functions.flatMap((def) => closuresIn(def.body.body)),
  ];
  for (const closure of closures) bodies.push({ def: closure.fn, facts: factsOf(closure.fn.body.body) });

  const imported = new Set(bodies.flatMap(({ facts }) => [...facts.imports]));
  const reaches = (facts: Facts): boolean =>
    facts.dynamicNames ||
    facts.loads ||
    [...facts.calls].some((call) => natives.group(call.name, call.arity)?.suspends === true) ||
    [...facts.names].some((name) => natives.suspendsByName(name)) ||
    facts.qualified.some((call) => natives.qualifiedSuspends(call.path, call.name, call.arity, imported));
  const starts = bodies.filter(({ facts }) => reaches(facts) && natives.anySuspends);
  if (starts.length === 0) return NEVER;

  const properties = new Set<string>();
  let anyProperty = false;
  for (const { facts } of bodies) {
    for (const name of facts.properties) properties.add(name);
    anyProperty ||= facts.dynamicProperties;
  }
  const suspending = new Set<FnDef | null>(starts.map(({ def }) => def));
  const suspendingCalls = new Set<string>();
  const note = (def: FnDef | null): void => {
    if (def !== null && def.name !== "") suspendingCalls.add(`${def.name} ${def.params.length}`);
  };
  for (const { def } of starts) note(def);
  const pointerProperty = (name: string): boolean => anyProperty || properties.has(name);
  for (let changed = true; changed;) {
    changed = false;
    for (const { def, facts } of bodies) {
      if (suspending.has(def)) continue;
      const does =
        facts.pointers ||
        [...facts.calls].some(
          (call) =>
            suspendingCalls.has(`${call.name} ${call.arity}`) ||
            (call.method && suspendingCalls.has(`${call.name} ${call.arity - 1}`)) ||
            natives.group(call.name, call.arity)?.callsBack === true ||
            (call.method && pointerProperty(call.name)),
        );
      if (!does) continue;
      suspending.add(def);
      note(def);
      changed = true;
    }
  }
  return { any: true, main: suspending.has(null), suspends: (def) => suspending.has(def), pointerProperty };
}

/** Whether a look at each part of the script alone finds one that might suspend. Most scripts have none. */
function mayStart(script: Script, natives: NativeTable): boolean {
  let found = false;
  const starts = (name: string, arity: number): boolean =>
    name === "eval" || name === "Fn" || natives.group(name, arity)?.suspends === true;
  walkScript(script, {
    expr: (expr) => {
      if (expr.kind === "Call") found ||= expr.path.length > 0 || starts(expr.name, expr.args.length);
      else if (expr.kind === "Str") found ||= natives.suspendsByName(expr.value);
      else if (expr.kind === "Chain") {
        for (const step of expr.steps)
          if (step.kind === "Method") found ||= starts(step.name, step.args.length + 1);
      }
    },
    stmt: (stmt) => {
      found ||= stmt.kind === "Import";
    },
  });
  return found;
}

interface Call {
  readonly name: string;
  /** The target of a method included. */
  readonly arity: number;
  readonly method: boolean;
}

interface QualifiedCall {
  readonly path: readonly string[];
  readonly name: string;
  readonly arity: number;
}

interface Facts {
  readonly calls: Call[];
  /** Names given to `Fn` as literals. */
  readonly names: Set<string>;
  /** `Fn` or `eval` of something only known at run time. */
  dynamicNames: boolean;
  /** `call` in any form. */
  pointers: boolean;
  /** Calls into modules. */
  readonly qualified: QualifiedCall[];
  /** Whether it imports, which runs the statements of the module. */
  loads: boolean;
  /** Names that modules are imported as. */
  readonly imports: Set<string>;
  /** Names that may become properties of a map. */
  readonly properties: Set<string>;
  dynamicProperties: boolean;
}

function factsOf(body: readonly Stmt[]): Facts {
  const facts: Facts = {
    calls: [],
    names: new Set(),
    dynamicNames: false,
    pointers: false,
    qualified: [],
    loads: false,
    imports: new Set(),
    properties: new Set(),
    dynamicProperties: false,
  };
  const visitor: Visitor = {
    expr: (expr) => noteExpr(facts, expr),
    stmt: (stmt) => {
      facts.loads ||= stmt.kind === "Import";
      if (stmt.kind === "Import" && stmt.alias !== null) facts.imports.add(stmt.alias.name);
      if (stmt.kind !== "Assign" || stmt.target.kind !== "Chain") return;
      const last = stmt.target.steps.at(-1);
      if (last?.kind === "Property") facts.properties.add(last.name);
      else if (last?.kind === "Index") {
        if (last.index.kind === "Str") facts.properties.add(last.index.value);
        else if (last.index.kind !== "Int") facts.dynamicProperties = true;
      }
    },
  };
  for (const stmt of body) walkStmt(stmt, visitor);
  return facts;
}

function noteExpr(facts: Facts, expr: Expr): void {
  if (expr.kind === "Map") for (const entry of expr.entries) facts.properties.add(entry.key);
  if (expr.kind === "Call" && expr.path.length > 0) {
    facts.qualified.push({
      path: expr.path.map((ident) => ident.name),
      name: expr.name,
      arity: expr.args.length,
    });
  } else if (expr.kind === "Call") noteCall(facts, expr.name, expr.args, false);
  if (expr.kind === "Str") facts.names.add(expr.value);
  if (expr.kind === "Chain") {
    for (const step of expr.steps) if (step.kind === "Method") noteCall(facts, step.name, step.args, true);
  }
}

function noteCall(facts: Facts, name: string, args: readonly Expr[], method: boolean): void {
  if (name === "call") facts.pointers = true;
  if (name === "eval") facts.dynamicNames = true;
  if (name === "Fn" && args[0]?.kind !== "Str") facts.dynamicNames = true;
  if (name === "set" || name === "mixin" || name === "fill_with") facts.dynamicProperties = true;
  facts.calls.push({ name, arity: args.length + (method ? 1 : 0), method });
}
