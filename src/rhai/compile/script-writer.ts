import type { FnDef, Script } from "../syntax/ast.ts";
import type { Pos } from "../syntax/position.ts";
import type { NativeTable } from "../runtime/natives.ts";
import type { EngineLimits } from "../runtime/native.ts";
import { numberLiteral, stringLiteral } from "./literal.ts";
import type { Suspension } from "./suspension.ts";

/** A script function as generated code refers to it. */
export interface FunctionRef {
  readonly def: FnDef;
  /** The JavaScript function. */
  readonly js: string;
  /** The constant that holds its CompiledFunction. */
  readonly object: string;
  readonly suspends: boolean;
  /** Names of captured variables, which are its first parameters. */
  readonly captures: readonly string[];
  /** Whether its variables must be found by name at run time. */
  readonly dynamic: boolean;
  /** For each declared parameter: whether a direct call may lend its argument. */
  readOnly: readonly boolean[];
}

/** What the functions of one script share while they are compiled: identifiers, constants, the natives. */
export class ScriptWriter {
  readonly natives: NativeTable;
  readonly limits: EngineLimits;
  readonly suspension: Suspension;
  readonly allowEval: boolean;
  readonly constants: ReadonlySet<string>;
  readonly script: Script;
  readonly functions: FunctionRef[] = [];
  /** Constants of the script, in the order of their making. */
  readonly hoisted: string[] = [];
  /** JavaScript functions. */
  readonly code: string[] = [];
  readonly inferTypes: boolean;
  readonly usesGlobals: boolean;
  /** Code of an `eval`: the functions of the script around it are reached by name. */
  readonly isEval: boolean;
  /** Functions called as `f!()`, by name and parameter count: they get a second form that runs in a given scope. */
  readonly scoped = new Map<string, string>();
  /** Closures that capture nothing, by the constant that holds their pointer. */
  readonly pointers = new Map<string, FunctionRef>();
  /** For each property of map literals that holds such a closure: the last one's constant. */
  readonly methods = new Map<string, string>();
  #id = 0;
  readonly #known = new Map<string, string>();
  /** Names of the constants that hold floats. */
  readonly #floats = new Set<string>();

  constructor(options: {
    script: Script;
    natives: NativeTable;
    limits: EngineLimits;
    suspension: Suspension;
    allowEval: boolean;
    constants: ReadonlySet<string>;
    inferTypes: boolean;
    usesGlobals: boolean;
    isEval: boolean;
  }) {
    this.script = options.script;
    this.natives = options.natives;
    this.limits = options.limits;
    this.suspension = options.suspension;
    this.allowEval = options.allowEval;
    this.constants = options.constants;
    this.inferTypes = options.inferTypes;
    this.usesGlobals = options.usesGlobals;
    this.isEval = options.isEval;
  }

  nextId(): number {
    this.#id += 1;
    return this.#id;
  }

  /** The name of a constant with this initial value; equal ones are shared. */
  constant(value: string): string {
    let name = this.#known.get(value);
    if (name === undefined) {
      name = `k${this.nextId()}`;
      this.#known.set(value, name);
      this.hoisted.push(`const ${name} = ${value};`);
    }
    return name;
  }

  /** The name of the function `code()`, parameters and body; one for each `key`, which is no expression. */
  helper(key: string, code: () => string): string {
    let name = this.#known.get(key);
    if (name === undefined) {
      name = `h${this.nextId()}`;
      this.#known.set(key, name);
      this.code.push(`function ${name}${code()}`);
    }
    return name;
  }

  float(value: number): string {
    const name = this.constant(`new H.Float(${numberLiteral(value)})`);
    this.#floats.add(name);
    return name;
  }

  /** The constants for this code: of floats, which are mostly written bare, only those that it mentions. */
  hoistedFor(code: string): string[] {
    if (this.#floats.size === 0) return this.hoisted;
    const nameOf = (line: string): string => /^const (k\d+) = new /.exec(line)?.[1] ?? "";
    const others = this.hoisted.filter((line) => !this.#floats.has(nameOf(line)));
    const mentioned = new Set(`${others.join("\n")}${code}`.match(/\bk\d+\b/g));
    return this.hoisted.filter((line) => {
      const name = nameOf(line);
      return !this.#floats.has(name) || mentioned.has(name);
    });
  }

  char(text: string): string {
    return this.constant(`H.charOf(${stringLiteral(text)})`);
  }

  positions(positions: readonly Pos[]): string {
    return this.constant(`[${positions.join(",")}]`);
  }

  /** What a method call site can reach. */
  site(name: string, arity: number): string {
    return this.constant(`P.site(${stringLiteral(name)}, ${arity})`);
  }

  group(name: string, arity: number): string {
    return this.constant(`P.natives.group(${stringLiteral(name)}, ${arity})`);
  }

  overload(name: string, arity: number, at: number): string {
    return this.constant(`${this.group(name, arity)}.overloads[${at}]`);
  }

  find(name: string, arity: number): FunctionRef | null {
    return (
      this.functions.find(
        (fn) => fn.def.name === name && fn.def.thisType === null && fn.def.params.length === arity,
      ) ?? null
    );
  }

  /** The function that a bare name means. */
  named(name: string): FunctionRef | null {
    const all = this.functions.filter((fn) => fn.def.name === name);
    return all.find((fn) => fn.def.thisType === null) ?? all[0] ?? null;
  }

  /** Whether a script function may be called as a method of this name. */
  hasMethod(name: string, arity: number): boolean {
    return this.isEval || this.functions.some((fn) => fn.def.name === name && fn.def.params.length === arity);
  }
}
