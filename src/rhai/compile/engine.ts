import { helpers } from "../runtime/helpers.ts";
import { RhaiError } from "../runtime/errors.ts";
import type { EngineLimits, NativeModule } from "../runtime/native.ts";
import { NativeTable } from "../runtime/natives.ts";
import { type FunctionFacts, Program } from "../runtime/program.ts";
import { DynamicScope } from "../runtime/dynamic-scope.ts";
import type { Run } from "../runtime/run.ts";
import type { CompileOptions, FunctionSignature } from "../runtime/run-options.ts";
import type { Value } from "../runtime/values.ts";
import { standardLibrary } from "../std/index.ts";
import { jsonFunctions } from "../std/json.ts";
import { parseMapLiteral } from "./map-literal.ts";
import type { Script } from "../syntax/ast.ts";
import { parse, parseEval } from "../syntax/parser.ts";
import { generate, generateEval, type GenerateOptions } from "./generate.ts";
import { printing, reflection } from "./engine-natives.ts";
import { moduleLinks } from "./module-links.ts";
import { type Main, Runner } from "./runner.ts";
import type { CompileResult } from "./script.ts";
import { Session } from "./session.ts";
import { closuresIn } from "./walk.ts";

export interface EngineOptions {
  /** Natives beside the standard library, which is always there. */
  readonly modules?: readonly NativeModule[];
  readonly limits?: Partial<EngineLimits>;
  /** Whether scripts may call `eval`. Off unless set. */
  readonly allowEval?: boolean;
  /** For tests: compiles every function as one that may suspend. */
  readonly forceSuspension?: boolean;
  /** For tests: false compiles without inferring the types of variables. */
  readonly inferTypes?: boolean;
}

/** The official defaults; everything else is unlimited. */
const DEFAULT_LIMITS: EngineLimits = {
  maxOperations: 0,
  maxCallLevels: 64,
  maxExprDepth: 64,
  maxFunctionExprDepth: 32,
  maxStringSize: 0,
  maxArraySize: 0,
  maxMapSize: 0,
  maxModules: 0,
  maxFunctions: 0,
  maxVariables: 0,
  maxMemory: 0,
};

/** Compiles scripts against the standard library and the natives it was given. Make one and keep it. */
export class Engine {
  readonly limits: EngineLimits;
  readonly allowEval: boolean;
  readonly natives = new NativeTable();
  readonly #forceSuspension: boolean;
  readonly #inferTypes: boolean;

  constructor(options: EngineOptions = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.allowEval = options.allowEval ?? false;
    this.#forceSuspension = options.forceSuspension ?? false;
    this.#inferTypes = options.inferTypes ?? true;
    for (const module of options.modules ?? []) this.natives.addModule(module);
    for (const fn of standardLibrary) this.natives.add(printing(fn));
    for (const fn of reflection) this.natives.add(fn);
    for (const fn of jsonFunctions((text, context) => this.#parseJson(text, context as Run)))
      this.natives.add(fn);
  }

  #parseJson(text: string, run: Run): Value {
    return parseMapLiteral(text, run.limits, (expr) => {
      const script: Script = { body: [{ kind: "Expr", expr, pos: expr.pos }], functions: [], comments: [] };
      const generation = { ...this.#generation(run.limits, new Set()), forceSuspension: false };
      const { javascript } = generate(script, generation);
      const main = link(javascript, new Program(this.natives)) as unknown as Main;
      const value = main(run, new DynamicScope(), null);
      if (value instanceof Promise) {
        // Nobody waits for it, so nobody must hear of its failure either.
        value.catch(() => undefined);
        throw new RhaiError("ErrorRuntime", "Runtime error: JSON must not suspend");
      }
      return value;
    });
  }

  #generation(limits: EngineLimits, constants: ReadonlySet<string>): GenerateOptions {
    const { natives, allowEval } = this;
    return {
      natives,
      limits,
      allowEval,
      constants,
      forceSuspension: this.#forceSuspension,
      inferTypes: this.#inferTypes,
    };
  }

  /** Never throws on bad source: what is wrong with it is in `diagnostics`. */
  compile(source: string, options: CompileOptions = {}): CompileResult {
    const limits = { ...this.limits, ...options.limits };
    const parsed = parse(source, limits);
    if (!parsed.ok) return { ok: false, diagnostics: parsed.diagnostics };
    const generation = this.#generation(limits, new Set(options.constants ?? []));
    return { ok: true, script: this.#runner(parsed.script, generation) };
  }

  /** Begins a session of inputs that are compiled and run one after the other, with variables that stay. */
  session(options: CompileOptions = {}): Session {
    const limits = { ...this.limits, ...options.limits };
    const generation = this.#generation(limits, new Set(options.constants ?? []));
    return new Session(limits, (script) => this.#runner(script, { ...generation, inSession: true }));
  }

  #runner(script: Script, generation: GenerateOptions): Runner {
    const { limits } = generation;
    const { javascript, suspends } = generate(script, generation);
    const program = new Program(this.natives);
    program.facts = factsOf(script);
    program.evaluate = (text) => {
      const inner = parseEval(text, limits);
      if (!inner.ok) {
        const [first] = inner.diagnostics;
        throw new RhaiError("ErrorParsing", `Syntax error: ${first.message}`, first.pos);
      }
      return { suspends, code: link(generateEval(inner.script, generation, suspends), program) };
    };
    return new Runner({
      engine: this,
      program,
      main: link(javascript, program),
      suspends,
      limits,
      javascript,
      functions: signatures(script),
      links: moduleLinks(script),
    });
  }
}

let linked = 0;

/**
 * Makes a function of generated code. Its only parameters are the helpers and the program. No two get the same text:
 * the engine would share what it knows of one with the other, and take the constants of neither for constant.
 */
function link(javascript: string, program: Program): (...args: never[]) => unknown {
  linked += 1;
  return new Function("H", "P", `${javascript}\n//${linked}`)(helpers, program);
}

function signatures(script: Script): FunctionSignature[] {
  return script.functions.map((fn) => ({
    name: fn.name,
    params: fn.params.map((param) => param.name),
    thisType: fn.thisType,
    isPrivate: fn.isPrivate,
    comments: fn.comments,
    pos: fn.pos,
  }));
}

/** Closures are told of as well. */
function factsOf(script: Script): FunctionFacts[] {
  const named = script.functions.map((fn) => ({
    ...fn,
    params: fn.params.map((param) => param.name),
    isAnonymous: false,
  }));
  const bodies = [script.body, ...script.functions.map((fn) => fn.body.body)];
  const closures = bodies.flatMap(closuresIn).map(({ fn, captures, pos }) => ({
    ...fn,
    name: `anon$${pos.toString(16).padStart(16, "0")}`,
    params: [...captures, ...fn.params].map((param) => param.name),
    isAnonymous: true,
  }));
  return [...named, ...closures];
}
