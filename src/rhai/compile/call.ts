import type { CallExpr, Expr } from "../syntax/ast.ts";
import { startPosition } from "../syntax/expr-position.ts";
import { combined, compileExpr, operands, owned, settle } from "./expression.ts";
import { mutablePlace, restore } from "./chain.ts";
import { type FunctionWriter, type Operand, operand, stored } from "./function-writer.ts";
import { bareCall } from "./float.ts";
import { scopedFunction } from "./function.ts";
import { nativeType } from "./native-types.ts";
import { stringLiteral } from "./literal.ts";
import { BOOL, OTHER, STRING } from "./types.ts";

/** A call in function style. */
export function compileCall(f: FunctionWriter, expr: CallExpr): Operand {
  f.count(expr.pos);
  if (expr.path.length > 0) return compileQualifiedCall(f, expr);
  if (expr.capturesScope) return compileScopedCall(f, expr);
  const special = compileKeyword(f, expr);
  if (special !== null) return special;
  const { name, args, pos } = expr;
  const fn = f.script.find(name, args.length);
  if (fn !== null) {
    const values = argumentValues(f, args);
    const passed = values.map((value, i) =>
      fn.readOnly[i] === true && value.local ? value.js : owned(value),
    );
    const call = `${fn.js}(${["R", pos, "null", ...passed].join(", ")})`;
    return operand(fn.suspends ? awaited(f, call) : call, { effects: true, writes: writes(values) });
  }
  if (f.script.isEval) {
    const values = argumentValues(f, args);
    const js = `H.callNamed(R, ${stringLiteral(name)}, [${values.map(owned).join(", ")}], ${pos})`;
    return operand(settled(f, js), { effects: true });
  }
  return compileNativeCall(f, expr);
}

const writes = (values: readonly Operand[]): boolean => combined(values).writes;

const awaited = (f: FunctionWriter, js: string): string => (f.suspends ? `(await ${js})` : `H.sync(${js})`);

/** The value of a call that may or may not suspend. */
export function settled(f: FunctionWriter, js: string): string {
  if (!f.suspends) return js;
  const value = f.temp();
  return `((${value} = ${js}) instanceof Promise ? await ${value} : ${value})`;
}

/** Whether a native may suspend here: by itself, or because of what it calls back. */
export function nativeSuspends(f: FunctionWriter, name: string, arity: number): boolean {
  if (!f.script.suspension.any) return false;
  const group = f.script.natives.group(name, arity);
  return group !== null && (group.suspends || group.callsBack);
}

/** Arguments in the official order: a plain variable in front is read after the others were evaluated. */
export function argumentValues(f: FunctionWriter, args: readonly Expr[]): Operand[] {
  const [first, ...rest] = args;
  if (first === undefined) return [];
  if (first.kind !== "Var" || rest.length === 0) return operands(f, args);
  const mark = f.lines.length;
  const others = operands(f, rest);
  const { effects, writes: writing } = combined(others);
  const unknown = first.path.length > 0 || (!f.dynamic && f.find(first.name) === null);
  if (!effects && !writing && !unknown && f.lines.length === mark) return [compileExpr(f, first), ...others];
  const held = others.map((value) => {
    if (value.constant) return value;
    const name = f.temp();
    f.emit(`${name} = ${owned(value)};`);
    return stored(name, value);
  });
  return [compileExpr(f, first), ...held];
}

function compileNativeCall(f: FunctionWriter, expr: CallExpr): Operand {
  const { name, args, pos } = expr;
  const group = f.script.natives.group(name, args.length);
  if (group === null) {
    const values = argumentValues(f, args);
    return operand(
      `H.notFound(${stringLiteral(name)}, [${values.map((value) => value.js).join(", ")}], ${pos})`,
      {
        effects: true,
      },
    );
  }
  const suspends = nativeSuspends(f, name, args.length);
  const wrap = (js: string): string => (suspends ? settled(f, js) : js);
  const [first, ...rest] = args;
  const variable = first?.kind === "Var" && first.path.length === 0 && !f.dynamic ? f.find(first.name) : null;
  if (
    group.mutates &&
    (first?.kind === "This" || (variable !== null && variable.kind === "local" && !variable.constant))
  ) {
    // A native that changes its first argument changes the variable, as if called as a method.
    const others = operands(f, rest);
    // A copy also of what is only borrowed: it may be the very variable that is changed.
    const held = others.map(owned);
    const place = mutablePlace(f, first as Expr);
    const call = `H.mutate(R, ${f.script.group(name, args.length)}, ${place.cell}, [${held.join(", ")}], ${pos})`;
    return operand(restore(f, place, wrap(call)), { effects: true, writes: true });
  }
  const values = argumentValues(f, args);
  const known = bareCall(f, group, values);
  if (known !== null) return known;
  const passed = values.map((value, i) =>
    group.keeps.has(i) || (group.mutates && i === 0) ? owned(value) : value.js,
  );
  const js = nativeCall(f, name, passed, pos);
  return operand(wrap(js), { ...nativeType(group, values), effects: true, writes: writes(values) });
}

function nativeCall(f: FunctionWriter, name: string, args: readonly string[], pos: number): string {
  const group = f.script.group(name, args.length);
  if (args.length === 1) return `H.native1(R, ${group}, ${args[0]}, ${pos})`;
  if (args.length === 2) return `H.native2(R, ${group}, ${args[0]}, ${args[1]}, ${pos})`;
  return `H.nativeN(R, ${group}, [${args.join(", ")}], ${pos})`;
}

function compileQualifiedCall(f: FunctionWriter, expr: CallExpr): Operand {
  const values = argumentValues(f, expr.args);
  const path = f.script.constant(`[${expr.path.map((ident) => stringLiteral(ident.name)).join(",")}]`);
  const args = values.map(owned).join(", ");
  const where = expr.path[0]?.pos ?? expr.pos;
  const js = `H.callQualified(R, ${path}, ${stringLiteral(expr.name)}, [${args}], ${expr.pos}, ${where})`;
  return operand(f.script.suspension.any ? settled(f, js) : js, { effects: true, writes: writes(values) });
}

/** `f!(…)`: the function runs in the scope of its caller. */
function compileScopedCall(f: FunctionWriter, expr: CallExpr): Operand {
  const values = operands(f, expr.args);
  const fn = f.script.find(expr.name, expr.args.length);
  if (fn === null) return compileCall(f, { ...expr, capturesScope: false });
  const js = scopedFunction(f.script, fn);
  const args = ["R", expr.pos, "null", "E", ...values.map(owned)];
  const mark = `m${f.script.nextId()}`;
  f.emit(`const ${mark} = E.length;`);
  const result = f.temp();
  f.emit(
    `${result} = ${fn.suspends ? awaited(f, `${js}(${args.join(", ")})`) : `${js}(${args.join(", ")})`};`,
  );
  f.emit(`E.rewind(${mark});`);
  return operand(result, { simple: true, effects: true });
}

/** Functions that the language itself provides; null for all others. */
function compileKeyword(f: FunctionWriter, expr: CallExpr): Operand | null {
  const { name, args, pos } = expr;
  const [first, ...rest] = args;
  switch (name) {
    case "call": {
      if (first === undefined) return null;
      const evaluated = [compileExpr(f, first)];
      const mark = f.lines.length;
      const passed = argumentValues(f, rest);
      settle(f, evaluated, operand("", combined(passed)), mark);
      const values = [...evaluated, ...passed];
      const [pointer] = evaluated;
      const list = passed.map((value) => value.js).join(", ");
      const js = `H.callValue(R, ${pointer?.js}, [${list}], ${pos}, ${startPosition(first)})`;
      return operand(settled(f, js), { effects: true, writes: writes(values) });
    }
    case "Fn": {
      if (args.length !== 1 || first === undefined) return notFound(f, expr);
      const value = compileExpr(f, first);
      return operand(`H.makePointer(${value.js}, ${startPosition(first)}, ${isLinked(f, first)})`, {
        ...combined([value]),
        ...OTHER,
        effects: true,
      });
    }
    case "curry": {
      if (first === undefined || rest.length === 0) return notFound(f, expr);
      const values = operands(f, args);
      const [pointer, ...bound] = values;
      const js = `H.curry(R, ${pointer?.js}, [${bound.map(owned).join(", ")}], ${startPosition(first)})`;
      return operand(js, { ...combined(values), ...OTHER });
    }
    case "is_shared": {
      if (args.length !== 1 || first === undefined) return notFound(f, expr);
      if (first.kind === "Var" && first.path.length === 0 && !f.dynamic) {
        const variable = f.find(first.name);
        if (variable?.kind === "cell") return operand(`${variable.js}.shared`, BOOL);
      }
      const value = compileExpr(f, first);
      return operand(`(${value.js}, false)`, { ...combined([value]), ...BOOL });
    }
    case "type_of": {
      if (args.length !== 1 || first === undefined) return notFound(f, expr);
      const value = compileExpr(f, first);
      return operand(`H.typeName(${value.js})`, { ...combined([value]), ...STRING });
    }
    case "is_def_fn": {
      if (args.length !== 2 && args.length !== 3) return notFound(f, expr);
      const values = operands(f, args);
      return operand(`H.isDefinedFunction(R, [${values.map((value) => value.js).join(", ")}], ${pos})`, {
        ...combined(values),
        ...BOOL,
      });
    }
    case "is_def_var": {
      if (args.length !== 1 || first === undefined) return notFound(f, expr);
      const value = compileExpr(f, first);
      if (f.dynamic) return operand(`E.has(H.asString(${value.js}, ${startPosition(first)}))`, BOOL);
      const names = f.script.constant(
        `[${f.scope.map((variable) => stringLiteral(variable.name)).join(",")}]`,
      );
      return operand(`${names}.includes(H.asString(${value.js}, ${startPosition(first)}))`, BOOL);
    }
    case "eval": {
      if (args.length !== 1 || first === undefined) return notFound(f, expr);
      const value = compileExpr(f, first);
      if (!f.script.allowEval) return operand(`H.noEval(${pos})`, { effects: true });
      const js = `H.evaluate(R, P, E, T, ${value.js}, ${startPosition(first)}, ${f.isMain && f.level === 0})`;
      return operand(f.suspends ? settled(f, js) : js, { effects: true, writes: true });
    }
    default:
      return null;
  }
}

/** Whether the official parser makes the pointer, and the interpreter links it where it is evaluated by itself. */
const isLinked = (f: FunctionWriter, name: Expr): boolean =>
  name.kind === "Str" && !f.inConstant && !f.script.isEval;

function notFound(f: FunctionWriter, expr: CallExpr): Operand {
  const values = argumentValues(f, expr.args);
  const js = `H.notFound(${stringLiteral(expr.name)}, [${values.map((value) => value.js).join(", ")}], ${expr.pos})`;
  return operand(js, { effects: true });
}
