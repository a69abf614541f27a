/** One version of a module of an app. */
export interface ModuleVersion {
  readonly name: string;
  readonly scriptId: string;
  readonly version: number;
}

/** Everything that one version of a script can import, directly or through its modules: one state of the app. */
export interface ModuleSet {
  readonly modules: readonly ModuleVersion[];
  /** Names that are imported but belong to scripts that are no modules, so that the error can say so. */
  readonly endpoints: readonly string[];
}

export const NO_MODULES: ModuleSet = Object.freeze({ modules: [], endpoints: [] });

/** In place of a name: the script imports by names that are only known at run time, so every module of the app. */
export const ANY_MODULE = "*";

/** What one version has to do with modules. */
export interface ScriptLinks {
  /** Names that it imports, and ANY_MODULE. */
  readonly imports: readonly string[];
  /** Functions of modules that it calls. */
  readonly calls: readonly { readonly module: string; readonly name: string; readonly arity: number }[];
  /** Functions that it offers when it is imported. */
  readonly exports: readonly { readonly name: string; readonly arity: number }[];
  /** What its text says that it writes where; absent: nothing, or it was saved by a release that did not look. */
  readonly effects?: readonly EffectsUnit[];
}

/** What the body of a script does, or its functions of one name. Those that do nothing are left out. */
export interface EffectsUnit {
  /** Empty: the body. */
  readonly name: string;
  readonly writes: readonly ScriptWrite[];
  /** Functions of the script; `module::name` of a module; `module::` for importing it. */
  readonly calls: readonly string[];
}

export interface ScriptWrite {
  readonly service: "kv" | "docs" | "pubsub";
  /** The collection or topic. */
  readonly name: string;
  /** Operations of the events that it may cause. */
  readonly ops: readonly string[];
}

export const NO_LINKS: ScriptLinks = Object.freeze({ imports: [], calls: [], exports: [] });

/** A script, as far as imports matter. */
export interface Importing {
  readonly id: string;
  readonly name: string;
  readonly kind: "endpoint" | "module";
  readonly liveVersion: number | null;
  /** Of the live version: names, and ANY_MODULE. */
  readonly imports: readonly string[];
}

/** Modules that one script may load: more than any needs, few enough to be sent to a worker. */
const MAX_MODULES = 512;

/**
 * What a script that imports these names can reach. Names of nothing are left out: importing one is an error of the run.
 * @param byName of one app
 */
export function reachableModules(
  imports: readonly string[],
  byName: { get(name: string): Importing | undefined; keys(): Iterable<string> },
): ModuleSet {
  if (imports.length === 0) return NO_MODULES;
  const modules = new Map<string, ModuleVersion>();
  const endpoints = new Set<string>();
  const waiting = [...imports];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === ANY_MODULE) {
      for (const other of byName.keys()) if (byName.get(other)?.kind === "module") waiting.push(other);
      continue;
    }
    const script = modules.has(name) ? undefined : byName.get(name);
    if (script === undefined) continue;
    if (script.kind !== "module") endpoints.add(name);
    else if (script.liveVersion !== null && modules.size < MAX_MODULES) {
      modules.set(name, { name, scriptId: script.id, version: script.liveVersion });
      // Once a script may import any, all are on their way already.
      waiting.push(...script.imports.filter((inner) => !modules.has(inner)));
    }
  }
  return { modules: [...modules.values()], endpoints: [...endpoints] };
}
