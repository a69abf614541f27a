import type { Script, Stmt } from "../syntax/ast.ts";
import { closuresIn, walkStmt } from "./walk.ts";

/** What a script has to do with modules, as far as its text tells. */
export interface ModuleLinks {
  /** Names that it imports by a literal string, in the order of their first appearance. */
  readonly imports: readonly string[];
  /** Whether it also imports by names that are only known at run time. */
  readonly importsComputed: boolean;
  /** Functions of imported modules that it calls. An alias that stands for several modules is left out. */
  readonly calls: readonly ModuleCall[];
}

export interface ModuleCall {
  readonly module: string;
  readonly name: string;
  readonly arity: number;
}

export function moduleLinks(script: Script): ModuleLinks {
  const imports = new Set<string>();
  const modules = new Map<string, Set<string>>();
  const qualified = new Map<
    string,
    { readonly alias: string; readonly name: string; readonly arity: number }
  >();
  let importsComputed = false;
  const stmt = (inner: Stmt): void => {
    if (inner.kind !== "Import") return;
    if (inner.module.kind !== "Str") {
      importsComputed = true;
      return;
    }
    const { value } = inner.module;
    imports.add(value);
    const alias = inner.alias?.name;
    if (alias !== undefined) modules.set(alias, (modules.get(alias) ?? new Set()).add(value));
  };
  for (const body of allBodies(script)) {
    for (const statement of body) {
      walkStmt(statement, {
        stmt,
        expr: (expr) => {
          const [alias, ...rest] = expr.kind === "Call" ? expr.path : [];
          if (expr.kind !== "Call" || alias === undefined || rest.length > 0) return;
          const arity = expr.args.length;
          qualified.set(`${alias.name} ${expr.name} ${arity}`, { alias: alias.name, name: expr.name, arity });
        },
      });
    }
  }
  const calls: ModuleCall[] = [];
  for (const { alias, name, arity } of qualified.values()) {
    const [module, ...others] = modules.get(alias) ?? [];
    if (module !== undefined && others.length === 0) calls.push({ module, name, arity });
  }
  return { imports: [...imports], importsComputed, calls };
}

/** Statements of the script, of its functions, and of the closures in both. */
function allBodies(script: Script): (readonly Stmt[])[] {
  const bodies = [script.body, ...script.functions.map((fn) => fn.body.body)];
  return bodies.flatMap((own) => [own, ...closuresIn(own).map((closure) => closure.fn.body.body)]);
}
