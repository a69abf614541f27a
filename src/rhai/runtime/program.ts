import type { NativeTable, NativeGroup } from "./natives.ts";
import type { CompiledFunction } from "./values.ts";

/** What `get_fn_metadata_list` tells about a function. */
export interface FunctionFacts {
  readonly name: string;
  readonly params: readonly string[];
  readonly thisType: string | null;
  readonly isPrivate: boolean;
  readonly isAnonymous: boolean;
  readonly comments: readonly string[];
}

/** What a method call site can reach; the types of its values decide which. */
export interface MethodSite {
  readonly name: string;
  /** Without the target. */
  readonly arity: number;
  readonly untyped: CompiledFunction | null;
  /** By the type of the target. */
  readonly typed: ReadonlyMap<string, CompiledFunction> | null;
  readonly natives: NativeGroup | null;
  /** Whether the language itself provides a method of this name. */
  readonly special: boolean;
}

const SPECIAL: ReadonlySet<string> = new Set(["call", "curry", "is_shared", "type_of"]);

/** The functions of a compiled script and the natives it was compiled against, by name. */
export class Program {
  readonly natives: NativeTable;
  readonly #functions = new Map<string, CompiledFunction>();
  readonly #typed = new Map<string, Map<string, CompiledFunction>>();
  readonly #sites = new Map<string, MethodSite>();
  /** The first function of each name: what a bare name stands for. */
  readonly #byName = new Map<string, CompiledFunction>();
  /** Set by the compiler: compiles the text of an `eval`. */
  evaluate: ((source: string) => EvalCode) | null = null;
  /** What can be told about its functions. */
  facts: readonly FunctionFacts[] = [];

  constructor(natives: NativeTable) {
    this.natives = natives;
  }

  define(fn: CompiledFunction, thisType: string | null): void {
    const key = siteKey(fn.name, fn.arity);
    if (thisType === null) {
      this.#functions.set(key, fn);
      if (!this.#byName.has(fn.name)) this.#byName.set(fn.name, fn);
      return;
    }
    let types = this.#typed.get(key);
    if (types === undefined) this.#typed.set(key, (types = new Map()));
    types.set(thisType, fn);
  }

  find(name: string, arity: number): CompiledFunction | null {
    return this.#functions.get(siteKey(name, arity)) ?? null;
  }

  findTyped(type: string, name: string, arity: number): CompiledFunction | null {
    return this.#typed.get(siteKey(name, arity))?.get(type) ?? null;
  }

  firstNamed(name: string): CompiledFunction | null {
    return this.#byName.get(name) ?? null;
  }

  site(name: string, arity: number): MethodSite {
    const key = siteKey(name, arity);
    let site = this.#sites.get(key);
    if (site === undefined) {
      site = {
        name,
        arity,
        untyped: this.#functions.get(key) ?? null,
        typed: this.#typed.get(key) ?? null,
        natives: this.natives.group(name, arity + 1),
        special: SPECIAL.has(name),
      };
      this.#sites.set(key, site);
    }
    return site;
  }
}

/** Compiled text of an `eval`. */
export interface EvalCode {
  readonly suspends: boolean;
  readonly code: (...args: never[]) => unknown;
}

const siteKey = (name: string, arity: number): string => `${arity} ${name}`;
