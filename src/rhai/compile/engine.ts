import { helpers } from "../runtime/helpers.ts";
import { RhaiError } from "../runtime/errors.ts";
import type { EngineLimits, NativeContext, NativeFunction, NativeModule } from "../runtime/native.ts";
import { NativeTable } from "../runtime/natives.ts";
import { Program } from "../runtime/program.ts";
import type { CompileOptions, FunctionSignature } from "../runtime/run-options.ts";
import type { Value } from "../runtime/values.ts";
import { standardLibrary } from "../std/index.ts";
import { jsonFunctions } from "../std/json.ts";
import { parseMapLiteral } from "./map-literal.ts";
import type { Expr, Script } from "../syntax/ast.ts";
import { parse, parseEval } from "../syntax/parser.ts";
import { generate, generateEval, type GenerateOptions } from "./generate.ts";
import { Runner } from "./runner.ts";
import type { CompileResult } from "./script.ts";
import { closuresIn, walkStmt } from "./walk.ts";

export interface EngineOptions {
  /** Natives beside the standard library, which is always there. */
  readonly modules?: readonly NativeModule[];
  readonly limits?: Partial<EngineLimits>;
  /** Whether scripts may call `eval`. Off unless set. */
  readonly allowEval?: boolean;
  /** For tests: compiles every function as one that may suspend. */
  readonly forceSuspension?: boolean;
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

  constructor(options: EngineOptions = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.allowEval = options.allowEval ?? false;
    this.#forceSuspension = options.forceSuspension ?? false;
    for (const module of options.modules ?? []) this.natives.addModule(module);
    for (const fn of standardLibrary) this.natives.add(printing(fn));
    for (const fn of jsonFunctions(parseMapLiteral)) this.natives.add(fn);
  }

  /** Never throws on bad source: what is wrong with it is in `diagnostics`. */
  compile(source: string, options: CompileOptions = {}): CompileResult {
    const limits = { ...this.limits, ...options.limits };
    const parsed = parse(source, parseLimits(limits));
    if (!parsed.ok) return { ok: false, diagnostics: parsed.diagnostics };
    const { script } = parsed;
    const generation: GenerateOptions = {
      natives: this.natives,
      limits,
      allowEval: this.allowEval,
      constants: new Set(options.constants ?? []),
      forceSuspension: this.#forceSuspension,
    };
    const { javascript, suspends } = generate(script, generation);
    const program = new Program(this.natives);
    program.evaluate = (text, pos) => {
      const inner = parseEval(text, parseLimits(limits));
      if (!inner.ok) {
        const [first] = inner.diagnostics;
        throw new RhaiError("ErrorParsing", `Syntax error: ${first.message}`, first.pos);
      }
      void pos;
      return { suspends, code: link(generateEval(inner.script, generation, suspends), program) };
    };
    const runner = new Runner({
      engine: this,
      program,
      main: link(javascript, program),
      suspends,
      limits,
      javascript,
      functions: signatures(script),
      imports: literalImports(script),
    });
    return { ok: true, script: runner };
  }
}

/** `print` and `debug` answer a text, which is the engine's to show. */
function printing(fn: NativeFunction): NativeFunction {
  if (fn.name !== "print" && fn.name !== "debug") return fn;
  const textOf = fn.call as (context: NativeContext, ...args: Value[]) => Value;
  const call = (context: NativeContext, ...args: Value[]): Value => {
    const text = String(textOf(context, ...args));
    if (fn.name === "print") context.print(text);
    else context.debug(text);
    return undefined;
  };
  return { ...fn, call: call as unknown as NativeFunction["call"], returns: "()" };
}

type ParseLimits = Pick<
  EngineLimits,
  "maxExprDepth" | "maxFunctionExprDepth" | "maxStringSize" | "maxArraySize" | "maxMapSize" | "maxFunctions"
>;

const parseLimits = (limits: EngineLimits): ParseLimits => ({
  maxExprDepth: limits.maxExprDepth,
  maxFunctionExprDepth: limits.maxFunctionExprDepth,
  maxStringSize: limits.maxStringSize,
  maxArraySize: limits.maxArraySize,
  maxMapSize: limits.maxMapSize,
  maxFunctions: limits.maxFunctions,
});

/** Makes a function of generated code. Its only parameters are the helpers and the program. */
function link(javascript: string, program: Program): (...args: never[]) => unknown {
  return new Function("H", "P", javascript)(helpers, program);
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

function literalImports(script: Script): string[] {
  const names = new Set<string>();
  const bodies = [script.body, ...script.functions.map((fn) => fn.body.body)];
  for (const body of bodies.flatMap((own) => [own, ...closuresIn(own).map((closure) => closure.fn.body.body)])) {
    for (const stmt of body) {
      walkStmt(stmt, {
        stmt: (inner) => {
          if (inner.kind === "Import" && isText(inner.module)) names.add(inner.module.value);
        },
      });
    }
  }
  return [...names];
}

const isText = (expr: Expr): expr is Extract<Expr, { kind: "Str" }> => expr.kind === "Str";

