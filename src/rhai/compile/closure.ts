import type { Expr } from "../syntax/ast.ts";
import { dynamicCell } from "./expression.ts";
import { type FunctionWriter, type Operand, operand } from "./function-writer.ts";
import { compileClosureFunction } from "./function.ts";
import { stringLiteral } from "./literal.ts";
import type { FunctionRef } from "./script-writer.ts";
import { OTHER } from "./types.ts";

/** `|x| …`: a pointer that carries the cells of what it captures. */
export function compileClosure(f: FunctionWriter, expr: Extract<Expr, { kind: "Closure" }>): Operand {
  // A captured name that is no variable here may still be a function, which needs no capturing.
  const captures = expr.captures.filter(
    ({ name }) =>
      f.dynamic || f.find(name) !== null || (f.script.named(name) === null && !f.script.constants.has(name)),
  );
  const fn = compileClosureFunction(f.script, expr, captures);
  const name = stringLiteral(fn.def.name);
  if (captures.length === 0) {
    const linked = f.inConstant ? ", false" : "";
    const pointer = f.script.constant(`new H.FnPtr(${name}, [], ${fn.object}${linked})`);
    f.script.pointers.set(pointer, fn);
    return operand(pointer, OTHER);
  }
  const cells = captures.map((capture) => {
    if (f.dynamic) return `H.share(${dynamicCell(f, capture.name, capture.pos)})`;
    const variable = f.find(capture.name);
    if (variable === null) {
      // A statement: what is missing is told before anything that the closure is an argument of.
      f.emit(`H.noVariable(${stringLiteral(capture.name)}, ${capture.pos});`);
      return "null";
    }
    return `H.share(${variable.js})`;
  });
  return operand(`H.closure(R, ${name}, [${cells.join(", ")}], ${fn.object})`, {
    ...OTHER,
    effects: true,
  });
}

/** The pointer that the bare name of a function stands for. */
export function pointerTo(f: FunctionWriter, fn: FunctionRef): string {
  const name = stringLiteral(fn.def.name);
  // A method for one type is not what a call without `this` finds.
  const target = fn.def.thisType === null ? fn.object : "null, true";
  return f.script.constant(`new H.FnPtr(${name}, [], ${target})`);
}
