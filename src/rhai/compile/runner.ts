import { callByName, codeOf, type Result } from "../runtime/calls.ts";
import { DynamicScope } from "../runtime/dynamic-scope.ts";
import { RhaiError } from "../runtime/errors.ts";
import { fillPosition, functionNotFound } from "../runtime/faults.ts";
import type { EngineLimits, NativeModule } from "../runtime/native.ts";
import { NativeTable } from "../runtime/natives.ts";
import type { Program } from "../runtime/program.ts";
import { type ImportedModule, type ModuleInstance, Run } from "../runtime/run.ts";
import type { FunctionSignature, ResolvedModule, RunOptions, RunResult } from "../runtime/run-options.ts";
import type { Cell, Value } from "../runtime/values.ts";
import { NONE, type Pos } from "../syntax/position.ts";
import type { ModuleLinks } from "./module-links.ts";
import type { Engine } from "./engine.ts";
import type { CompiledScript } from "./script.ts";

export type Main = (run: Run, scope: DynamicScope, self: Cell | null) => Result;

interface RunnerParts {
  readonly engine: Engine;
  readonly program: Program;
  readonly main: (...args: never[]) => unknown;
  readonly suspends: boolean;
  readonly limits: EngineLimits;
  readonly javascript: string;
  readonly functions: readonly FunctionSignature[];
  readonly links: ModuleLinks;
}

/** What the inputs of a session share. */
export interface SessionState {
  readonly scope: DynamicScope;
  imports: readonly ImportedModule[];
  /** Global constants, for functions. */
  globals: ReadonlyMap<string, Value>;
}

/** A compiled script that can be run. */
export class Runner implements CompiledScript {
  readonly suspends: boolean;
  readonly functions: readonly FunctionSignature[];
  readonly links: ModuleLinks;
  readonly javascript: string;
  readonly program: Program;
  readonly #engine: Engine;
  readonly #main: Main;
  readonly #limits: EngineLimits;
  /** The limits that the last run was given, and what they come to. */
  #given: RunOptions["limits"];
  #merged: EngineLimits;

  constructor(parts: RunnerParts) {
    this.suspends = parts.suspends;
    this.functions = parts.functions;
    this.links = parts.links;
    this.javascript = parts.javascript;
    this.program = parts.program;
    this.#engine = parts.engine;
    this.#main = parts.main as unknown as Main;
    this.#limits = parts.limits;
    this.#merged = parts.limits;
  }

  run(options: RunOptions = {}): RunResult | Promise<RunResult> {
    const run = this.#start(options);
    return finish(run, () => this.#main(run, new DynamicScope(), null));
  }

  /** Runs with the variables, imports and constants of a session. A run that fails adds none. */
  runIn(state: SessionState, options: RunOptions): RunResult | Promise<RunResult> {
    const run = this.#start(options);
    run.imports.push(...state.imports);
    for (const [name, value] of state.globals) run.globals.set(name, value);
    const before = state.scope.length;
    const settle = (result: RunResult): RunResult => {
      if (result.ok) {
        state.imports = run.imports;
        state.globals = run.globals;
      } else state.scope.rewind(before);
      return result;
    };
    const result = finish(run, () => this.#main(run, state.scope, null));
    return result instanceof Promise ? result.then(settle) : settle(result);
  }

  call(name: string, args: readonly Value[], options: RunOptions = {}): RunResult | Promise<RunResult> {
    const run = this.#start(options);
    return finish(run, () => {
      const isPrivate = this.functions.some((fn) => fn.name === name && fn.isPrivate);
      if (isPrivate || this.program.find(name, args.length) === null)
        throw functionNotFound(name, args, NONE);
      return callByName(run, name, args, null, NONE);
    });
  }

  #start(options: RunOptions): Run {
    if (options.limits !== this.#given) {
      this.#given = options.limits;
      this.#merged = { ...this.#limits, ...options.limits };
    }
    const run = new Run(this.program, this.#merged, options);
    let loaded: Map<string, ModuleInstance> | undefined;
    run.loadModule = (name, pos) => {
      loaded ??= new Map();
      return loadModule({ engine: this.#engine, run, name, pos, from: null, loaded });
    };
    const { scope } = options;
    if (scope !== undefined) for (const name of Object.keys(scope)) run.globals.set(name, scope[name]);
    return run;
  }

  /** Runs as a module within another run: answers what it exports. */
  instantiate(outer: Run, name: string, load: Run["loadModule"]): ModuleInstance | Promise<ModuleInstance> {
    const exports = new Map<string, Cell>();
    const state = swap(outer, { program: this.program, imports: [], loadModule: load, exported: exports });
    const ready = (): ModuleInstance => {
      const modules = new Map(outer.imports.map((entry) => [entry.alias, entry.module]));
      state();
      return this.#instance(name, exports, modules, load);
    };
    const failed = (error: unknown): never => {
      state();
      throw error;
    };
    let result: Result;
    try {
      result = this.#main(outer, new DynamicScope(), null);
    } catch (error) {
      return failed(error);
    }
    return result instanceof Promise ? result.then(ready, failed) : ready();
  }

  #instance(
    name: string,
    exports: ReadonlyMap<string, Cell>,
    modules: ReadonlyMap<string, ModuleInstance>,
    load: Run["loadModule"],
  ): ModuleInstance {
    const variables = new Map([...exports].map(([key, cell]) => [key, cell.value]));
    const own = [...modules].map(([alias, module]) => ({ alias, module }));
    return {
      name,
      variables,
      modules,
      call: (run, fnName, args, pos) => {
        const isPrivate = this.functions.some((fn) => fn.name === fnName && fn.isPrivate);
        const fn = isPrivate ? null : this.program.find(fnName, args.length);
        if (fn === null) return { found: false, value: undefined };
        const back = swap(run, {
          program: this.program,
          imports: own,
          loadModule: load,
          exported: run.exported,
        });
        let value: Result;
        try {
          value = codeOf(fn)(run, pos, null, ...args);
        } catch (error) {
          back();
          throw error;
        }
        if (value instanceof Promise) return { found: true, value: value.finally(back) };
        back();
        return { found: true, value };
      },
    };
  }
}

type Surroundings = Pick<Run, "program" | "imports" | "loadModule" | "exported">;

/** Changes what a run is surrounded by; the answer changes it back. */
function swap(run: Run, to: Surroundings): () => void {
  const from: Surroundings = {
    program: run.program,
    imports: run.imports,
    loadModule: run.loadModule,
    exported: run.exported,
  };
  Object.assign(run, to);
  return () => {
    Object.assign(run, from);
  };
}

interface Loading {
  readonly engine: Engine;
  readonly run: Run;
  readonly name: string;
  readonly pos: Pos;
  readonly from: string | null;
  readonly loaded: Map<string, ModuleInstance>;
}

function loadModule(loading: Loading): ModuleInstance | Promise<ModuleInstance> | null {
  const { engine, run, name, pos, loaded } = loading;
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const found = resolved(loading);
  if (found === undefined) return null;
  const script = "script" in found ? found.script : compiledModule(loading, found);
  if (script === null) return nativeInstance(found as NativeModule);
  if (!(script instanceof Runner)) throw new TypeError(`module ${name} is not a script of this engine`);
  const { depth } = run;
  run.callees[depth] = null;
  // A module that imports itself ends at the limit of calls.
  if (depth >= run.maxDepth) run.overflow(pos);
  run.depth = depth + 1;
  const ready = (module: ModuleInstance): ModuleInstance => {
    loaded.set(name, module);
    run.depth = depth;
    return module;
  };
  const failed = (error: unknown): never => {
    const unwound = run.unwind(error, depth);
    run.depth = depth;
    throw unwound instanceof RhaiError && unwound.kind !== "ErrorTerminated"
      ? inModule(unwound, name, pos)
      : unwound;
  };
  let module: ModuleInstance | Promise<ModuleInstance>;
  try {
    module = script.instantiate(run, name, (inner, innerPos) =>
      loadModule({ engine, run, name: inner, pos: innerPos, from: name, loaded }),
    );
  } catch (error) {
    return failed(error);
  }
  return module instanceof Promise ? module.then(ready, failed) : ready(module);
}

/** @throws RhaiError of the resolver, with the place of the import */
function resolved({ run, name, pos, from }: Loading): ResolvedModule | undefined {
  try {
    return run.options.resolver?.resolve(name, from);
  } catch (error) {
    throw fillPosition(error, pos);
  }
}

/** The script of a module that was answered as text; null: it is one of natives. @throws RhaiError */
function compiledModule(
  { engine, run, name, pos }: Loading,
  found: { readonly source: string } | NativeModule,
) {
  if (!("source" in found)) return null;
  const compiled = engine.compile(found.source, { limits: run.limits });
  if (compiled.ok) return compiled.script;
  const [first] = compiled.diagnostics;
  const inner = new RhaiError("ErrorParsing", `Syntax error: ${first?.message ?? ""}`, first?.pos ?? NONE);
  throw inModule(inner, name, pos);
}

function inModule(error: RhaiError, name: string, pos: Pos): RhaiError {
  return new RhaiError(
    "ErrorInModule",
    `${error.message}\nin module '${name}'`,
    pos,
    { module: name },
    error,
  );
}

/** Natives that a resolver answers. */
function nativeInstance(module: NativeModule): ModuleInstance {
  const table = new NativeTable();
  table.addModule({ ...module, name: "" });
  return {
    name: module.name,
    variables: table.constants,
    modules: new Map(),
    call: (run, name, args, pos) => {
      const group = table.group(name, args.length);
      const overload = group?.find(args) ?? null;
      if (overload === null) return { found: false, value: undefined };
      run.callPos = pos;
      return { found: true, value: overload.call(run, ...args) };
    },
  };
}

function finish(run: Run, body: () => Result): RunResult | Promise<RunResult> {
  try {
    const value = body();
    if (!(value instanceof Promise)) return success(run, value);
    return value.then(
      (result) => success(run, result),
      (error: unknown) => failure(run, error),
    );
  } catch (error) {
    return failure(run, error);
  }
}

const success = (run: Run, value: Value): RunResult => ({
  ok: true,
  value,
  operations: run.ops + run.forgiven,
  memory: run.memory,
});

function failure(run: Run, thrown: unknown): RunResult {
  const error = run.unwind(thrown, 0);
  if (!(error instanceof RhaiError)) {
    const hidden = new RhaiError("ErrorSystem", "A function of the host failed", run.callPos);
    return { ok: false, error: hidden, operations: run.ops + run.forgiven, memory: run.memory, fault: error };
  }
  if (error.kind === "ErrorTerminated" && error.text === "exit") return success(run, error.data["value"]);
  return { ok: false, error, operations: run.ops + run.forgiven, memory: run.memory };
}
