import { RhaiError, type CompiledScript, type Engine, type ModuleResolver } from "../rhai/index.ts";
import { mentionsServices, mentionsTransactions } from "./sdk/mentions.ts";

/** Levels of imports, the script itself being level 0 (CONTRACT 5). */
export const MAX_IMPORT_DEPTH = 8;

/** One version of a module in this worker. */
export class LoadedModule {
  readonly source: string;
  /** By the engine that compiled it: one that knows services, and one that does not. */
  readonly #compiled = new Map<Engine, CompiledScript | RhaiError>();

  constructor(source: string) {
    this.source = source;
  }

  /** @throws RhaiError when it does not compile (any more) */
  compiled(engine: Engine, name: string): CompiledScript {
    let compiled = this.#compiled.get(engine);
    if (compiled === undefined) {
      const result = engine.compile(this.source);
      compiled = result.ok
        ? result.script
        : importError(`module "${name}" does not compile: ${result.diagnostics[0]?.message ?? ""}`);
      this.#compiled.set(engine, compiled);
    }
    if (compiled instanceof RhaiError) throw compiled;
    return compiled;
  }
}

/** What one script may import: modules of its own app, in the versions of one moment. */
export class ScriptModules {
  readonly #modules = new Map<string, LoadedModule>();
  readonly #endpoints: ReadonlySet<string>;

  constructor(
    modules: readonly (readonly [name: string, module: LoadedModule | undefined])[],
    endpoints: readonly string[],
  ) {
    for (const [name, module] of modules) if (module !== undefined) this.#modules.set(name, module);
    this.#endpoints = new Set(endpoints);
  }

  /** Whether any of them may call a service. */
  get mentionServices(): boolean {
    for (const module of this.#modules.values()) if (mentionsServices(module.source)) return true;
    return false;
  }

  /** Whether any of them may ask for a transaction. */
  get mentionTransactions(): boolean {
    for (const module of this.#modules.values()) if (mentionsTransactions(module.source)) return true;
    return false;
  }

  /** Resolves the imports of one run. */
  resolver(engine: Engine): ModuleResolver {
    /** Who imported a module first: the way from the script to it. Most runs import none. */
    let importers: Map<string, string | null> | undefined;
    return {
      resolve: (name, from) => {
        importers ??= new Map();
        const chain = chainTo(from, importers);
        if (chain.includes(name)) throw importError(`circular import: ${[...chain, name].join(" -> ")}`);
        if (chain.length >= MAX_IMPORT_DEPTH) {
          throw importError(
            `import depth exceeded: ${[...chain, name].join(" -> ")} is deeper than ${MAX_IMPORT_DEPTH}`,
          );
        }
        const module = this.#modules.get(name);
        if (module === undefined && this.#endpoints.has(name)) {
          throw importError(`not a module: the script "${name}" is an endpoint`);
        }
        importers.set(name, from);
        return module === undefined ? undefined : { script: module.compiled(engine, name) };
      },
    };
  }
}

/** The modules that led to one, the first import first. */
function chainTo(from: string | null, importers: ReadonlyMap<string, string | null>): string[] {
  const chain: string[] = [];
  for (let at = from; at !== null; at = importers.get(at) ?? null) chain.unshift(at);
  return chain;
}

/** Of the kind that a missing module has: the run fails as one that does not compile. */
const importError = (text: string): RhaiError => new RhaiError("ErrorModuleNotFound", text);
