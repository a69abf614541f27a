import type { Expr, FnDef } from "../syntax/ast.ts";
import { callEffects } from "./call-effects.ts";
import type { CallEffects } from "./locals.ts";
import type { ScriptWriter } from "./script-writer.ts";
import { walkBlock } from "./walk.ts";

/**
 * Which parameters a function only reads. A direct call hands those over without a copy, so that a caller that
 * goes on writing to its array does not pay for a clone. Such a parameter is copied before anything that might change
 * it after all (a function in a map that is called like a native), and when it is kept or returned.
 */
export function readOnlyParameters(script: ScriptWriter, def: FnDef): readonly boolean[] {
  const written = new Set<string>();
  const effects = callEffects(script);
  walkBlock(def.body, {
    expr: (expr) => noteExpr(effects, expr, written),
    stmt: (stmt) => {
      if (stmt.kind !== "Assign") return;
      const { target } = stmt;
      if (target.kind === "Var") written.add(target.name);
      if (target.kind === "Chain" && target.root.kind === "Var") written.add(target.root.name);
    },
  });
  return def.params.map((param) => !written.has(param.name));
}

function noteExpr(effects: CallEffects, expr: Expr, written: Set<string>): void {
  if (expr.kind === "Closure") for (const capture of expr.captures) written.add(capture.name);
  if (expr.kind === "Call") {
    const [first] = expr.args;
    if (first?.kind === "Var" && effects.call(expr) === "change") written.add(first.name);
  }
  if (expr.kind !== "Chain" || expr.root.kind !== "Var") return;
  for (const step of expr.steps) {
    if (step.kind !== "Method") continue;
    if (effects.method(step.name, step.args.length) !== "none") written.add(expr.root.name);
    // What comes after is applied to the result.
    break;
  }
}
