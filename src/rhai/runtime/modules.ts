import type { Pos } from "../syntax/position.ts";
import { callNatives, type Result } from "./calls.ts";
import { RhaiError } from "./errors.ts";
import { functionNotFound, mismatch, moduleNotFound, variableNotFound } from "./faults.ts";
import type { NativeTable } from "./natives.ts";
import type { ModuleInstance, Run } from "./run.ts";
import { rustTypeName } from "./type-name.ts";
import type { Value } from "./values.ts";

/** `import "name" as alias`. Without an alias the module is run and forgotten. A promise when the module suspends. */
export function importModule(run: Run, name: Value, alias: string | null, pos: Pos, importPos: Pos): Result {
  const { maxModules } = run.limits;
  if (maxModules > 0 && run.modulesLoaded >= maxModules) {
    throw new RhaiError("ErrorTooManyModules", "Too many modules imported", importPos);
  }
  if (typeof name !== "string") throw mismatch("string", rustTypeName(name), pos);
  const module = run.loadModule(name, pos);
  if (module === null) throw moduleNotFound(name, pos);
  const imported = (instance: ModuleInstance): undefined => {
    run.activate();
    run.modulesLoaded += 1;
    if (alias !== null) run.imports.push({ alias, module: instance });
  };
  return module instanceof Promise ? module.then(imported) : imported(module);
}

function findImport(run: Run, path: readonly string[]): ModuleInstance | null {
  const root = run.imports.findLast((entry) => entry.alias === path[0]);
  let module: ModuleInstance | null = root?.module ?? null;
  for (const segment of path.slice(1)) module = module?.modules.get(segment) ?? null;
  return module;
}

const findSpace = (run: Run, path: readonly string[]): NativeTable | null => run.program.natives.find(path);

/** `space::NAME`. */
export function qualified(run: Run, path: readonly string[], name: string, pos: Pos): Value {
  const full = `${path.join("::")}::${name}`;
  const imported = findImport(run, path);
  if (imported !== null) {
    if (imported.variables.has(name)) return imported.variables.get(name);
    throw variableNotFound(full, pos);
  }
  const space = findSpace(run, path);
  if (space !== null) {
    if (space.constants.has(name)) return space.constants.get(name);
    throw variableNotFound(full, pos);
  }
  if (path.length === 1 && path[0] === "global") {
    if (run.globals.has(name)) return run.globals.get(name);
    throw variableNotFound(full, pos);
  }
  throw moduleNotFound(path.join("::"), pos);
}

/** `space::name(args)`. The arguments are values of their own. */
export function callQualified(
  run: Run,
  path: readonly string[],
  name: string,
  args: Value[],
  pos: Pos,
  pathPos: Pos,
): Result {
  const imported = findImport(run, path);
  const full = `${path.join("::")}::${name}`;
  if (imported !== null) {
    const { found, value } = imported.call(run, name, args, pos);
    if (found) return value;
    throw functionNotFound(full, args, pos);
  }
  const space = findSpace(run, path);
  if (space === null) throw moduleNotFound(path.join("::"), pathPos);
  return callNatives(run, space.group(name, args.length), full, args, pos);
}
