import { exprPosition } from "../syntax/expr-position.ts";
import type { NativeGroup } from "../runtime/natives.ts";
import { settled } from "./call.ts";
import { isSpecial } from "./call-effects.ts";
import {
  type Base,
  cellOf,
  type ChainParts,
  generic,
  isApart,
  makeSimple,
  methodArguments,
  type MethodStep,
  methodSuspends,
  type PlaceStep,
  read,
  readMutable,
  restore,
  restoreInline,
} from "./chain.ts";
import { combined, owned } from "./expression.ts";
import { bareCall } from "./float.ts";
import { type FunctionWriter, type Operand, operand } from "./function-writer.ts";
import { certainOverload } from "./native-types.ts";
import { stringLiteral } from "./literal.ts";
import { peekProperty } from "./property.ts";
import type { FunctionRef } from "./script-writer.ts";
import { BOOL } from "./types.ts";

/**
 * A method call on a place or a value, reached through properties and indices. What the script and the natives
 * define under its name decides which short way there is.
 */
interface MethodCall {
  readonly f: FunctionWriter;
  readonly base: Base;
  readonly prefix: readonly PlaceStep[];
  readonly step: MethodStep;
  /** Of the prefix and of the call itself. */
  readonly args: ChainParts["args"];
  /** Whether evaluating any of it assigns a local variable. */
  readonly writes: boolean;
}

export function compileMethod(
  f: FunctionWriter,
  base: Base,
  prefix: readonly PlaceStep[],
  step: MethodStep,
  args: ChainParts["args"],
): Operand {
  const { writes } = combined([base.value, ...[...args.values()].flat()]);
  const call: MethodCall = { f, base, prefix, step, args, writes };
  const { name } = step;
  const count = step.args.length;
  if (prefix.length === 0 && base.kind === "cell") {
    if (name === "is_shared" && count === 0) return result(call, `${base.js}.shared`, BOOL);
    return result(
      call,
      wrap(call, `H.onCell(R, ${site(call)}, ${base.js}, [${passed(call)}], ${places(call)})`),
    );
  }
  if (isSpecial(name)) return specialMethod(call);
  const group = f.script.natives.group(name, count + 1);
  // What calls back must not see the captured variable that it was reached through.
  const locks = prefix.length > 0 && base.kind === "cell" && group?.callsBack === true;
  if (group !== null && !f.script.hasMethod(name, count) && !locks) {
    return group.mutates ? mutatingMethod(call) : pureMethod(call, group);
  }
  return prefix.length > 0 ? inGeneral(call, args, false) : dispatched(call);
}

function result(call: MethodCall, js: string, more: Partial<Operand> = {}): Operand {
  return operand(js, { effects: true, writes: call.writes, ...more });
}

function wrap({ f, step }: MethodCall, js: string): string {
  return methodSuspends(f, step.name, step.args.length) ? settled(f, js) : js;
}

const site = ({ f, step }: MethodCall): string => f.script.site(step.name, step.args.length);

/** The positions of the call and of its first argument. */
function places({ step }: MethodCall): string {
  const [first] = step.args;
  return `${step.pos}, ${first === undefined ? 0 : exprPosition(first)}`;
}

const passed = ({ f, base, step, args }: MethodCall): string =>
  methodArguments(f, base, step, args.get(step) ?? []).join(", ");

/** The call at run time with everything open, on the whole chain. */
function inGeneral(call: MethodCall, args: ChainParts["args"], inline: boolean): Operand {
  return generic(call.f, { base: call.base, steps: [...call.prefix, call.step], args }, null, inline);
}

/** The call at run time with everything open, on the base itself. */
function dispatched(call: MethodCall): Operand {
  const { f, base, step } = call;
  const place = cellOf(f, base);
  const writes = call.writes || place.after !== null;
  const scripted = base.value.simple ? onlyFunction(call) : null;
  if (scripted !== null) {
    // Called right here as well, unless the map has a function of this name.
    const { args, set } = makeSimple(f, call.args);
    const list = methodArguments(f, base, step, args.get(step) ?? []);
    const other = wrap(
      call,
      `H.dispatch(R, ${site(call)}, ${place.cell}, [${list.join(", ")}], ${places(call)})`,
    );
    const direct = `${scripted.js}(${["R", step.pos, place.cell, ...list].join(", ")})`;
    const isOwn = `${peekProperty(f.script, step.name)}(${base.value.js}) instanceof H.FnPtr`;
    const js = `(${set}${isOwn} ? ${other} : ${wrap(call, direct)})`;
    return result(call, restore(f, place, js), { writes });
  }
  if (!base.value.simple || !mayBeOwn(call)) {
    const js = wrap(call, `H.dispatch(R, ${site(call)}, ${place.cell}, [${passed(call)}], ${places(call)})`);
    return result(call, restore(f, place, js), { writes });
  }
  // A function in a map is called right here, so that the JIT sees which one it is.
  const { args, set } = makeSimple(f, call.args);
  const list = passed({ ...call, args });
  const given = `R, ${step.pos}, ${place.cell}${list === "" ? "" : `, ${list}`}`;
  const own = f.temp();
  const pointer = f.script.methods.get(step.name) ?? "";
  const known = f.script.pointers.get(pointer);
  let found = `(${own} = H.ownFn(${peekProperty(f.script, step.name)}(${base.value.js}), ${step.args.length})) !== null`;
  let direct = `${own}.code(${given})`;
  if (known?.def.params.length === step.args.length) {
    // Which one it is can be told before it runs: no other closure is written for this property.
    found = `${peekProperty(f.script, step.name)}(${base.value.js}) === ${pointer}`;
    direct = `${known.js}(${given})`;
  }
  const other = wrap(call, `H.dispatch(R, ${site(call)}, ${place.cell}, [${list}], ${places(call)})`);
  return result(call, restore(f, place, `(${set}${found} ? ${wrap(call, direct)} : ${other})`), { writes });
}

/** The script function that the name means as a method of anything, where there is no other. */
function onlyFunction({ f, step }: MethodCall): FunctionRef | null {
  const { allowEval, functions } = f.script;
  if (allowEval || isSpecial(step.name)) return null;
  const [fn, ...others] = functions.filter(
    ({ def }) => def.name === step.name && def.params.length === step.args.length,
  );
  return fn !== undefined && others.length === 0 && fn.def.thisType === null ? fn : null;
}

/** Whether what is called may well be a function in a map, and gets arguments of its own. */
function mayBeOwn({ f, step }: MethodCall): boolean {
  const count = step.args.length;
  return (
    !isSpecial(step.name) &&
    f.script.natives.group(step.name, count + 1) === null &&
    !f.script.hasMethod(step.name, count)
  );
}

/** `call` on a variable is tried as a call of a closure first. */
function specialMethod(call: MethodCall): Operand {
  const { f, base, step } = call;
  if (call.prefix.length > 0) return inGeneral(call, call.args, false);
  if (step.name !== "call" || base.kind === "this" || !base.value.simple || base.constant)
    return dispatched(call);
  const list = methodArguments(f, base, step, call.args.get(step) ?? []);
  const place = cellOf(f, base);
  const other = `H.dispatch(R, ${site(call)}, ${place.cell}, [${list.join(", ")}], ${places(call)})`;
  const direct = `${sized("H.callFn", 3, list)}(R, ${base.value.js}, ${spread(3, list)}${step.pos})`;
  const js = `(${base.value.js} instanceof H.FnPtr ? ${wrap(call, direct)} : ${restoreInline(f, place, wrap(call, other))})`;
  return result(call, js, { writes: true });
}

/** The form of a helper for this many arguments: up to `most` have one of their own. */
const sized = (name: string, most: number, args: readonly string[]): string =>
  `${name}${args.length <= most ? args.length : "N"}`;

const spread = (most: number, args: readonly string[]): string =>
  args.length <= most ? args.map((arg) => `${arg}, `).join("") : `[${args.join(", ")}], `;

/** Natives that leave their target alone: no place is needed, unless the name is a function in a map. */
function pureMethod(call: MethodCall, group: NativeGroup): Operand {
  const { f, base, prefix, step } = call;
  const groupName = f.script.group(step.name, step.args.length + 1);
  if (prefix.length === 0) {
    const known = bareCall(f, group, [base.value, ...(call.args.get(step) ?? [])]);
    if (known !== null) return known;
    if (base.constant && group.overloads.some((overload) => !overload.pure)) return dispatched(call);
    const list = methodArguments(f, base, step, call.args.get(step) ?? []);
    const js = `${sized("H.method", 2, list)}(R, ${groupName}, ${base.value.js}, ${spread(2, list)}${step.pos})`;
    if (!f.lent.has(base.js)) return result(call, wrap(call, js));
    // A function in the map would get the caller's own map as `this`.
    const own = `H.fnProp(${base.js}, ${stringLiteral(step.name)}) && (${base.js} = H.cp(${base.js}))`;
    return result(call, `(${own}, ${wrap(call, js)})`, { writes: true });
  }
  if (base.constant) return inGeneral(call, call.args, false);
  const { args, set } = makeSimple(f, call.args);
  const target = f.temp();
  const list = methodArguments(f, base, step, args.get(step) ?? []);
  const fast = `${sized("H.method", 2, list)}(R, ${groupName}, ${target}, ${spread(2, list)}${step.pos})`;
  const slow = inGeneral(call, args, true);
  const found = `${target} = ${read(f, base.value, prefix, args)}`;
  const js = `(${set}${found}, H.fnProp(${target}, ${stringLiteral(step.name)}) ? ${slow.js} : ${wrap(call, fast)})`;
  return result(call, js, { writes: call.writes || slow.writes });
}

/**
 * The arguments, with copies of those that may share storage with the target. They are taken before the target is
 * looked for: `a.list.push(a)` must not find its target in storage that the copy shares.
 */
function detached({ base, step, args }: MethodCall): ChainParts["args"] {
  const own = (args.get(step) ?? []).map((value) => {
    if (!value.borrowed || isApart(base, value) || owned(value) === value.js) return value;
    return operand(owned(value), {
      type: value.type,
      bits: value.bits,
      effects: value.effects,
      writes: value.writes,
    });
  });
  return new Map([...args, [step, own]]);
}

/** Whether these natives push onto an array as the standard library does, whatever is pushed. */
function isStandardPush(group: NativeGroup | null): boolean {
  if (group?.name !== "push" || group.arity !== 2) return false;
  const [first, ...others] = group.overloads.filter(({ fn }) =>
    ["array", "any"].includes(fn.params[0] ?? ""),
  );
  return first?.fn.package === "array_basic" && others.length === 0;
}

/** The same on a variable that certainly holds an array. */
function changeOfArray(call: MethodCall): Operand {
  const { f, base, step } = call;
  const values = detached(call).get(step) ?? [];
  const list = methodArguments(f, base, step, values);
  const group = f.script.natives.group(step.name, list.length + 1);
  if (isStandardPush(group))
    return result(call, `H.push(R, ${base.js}, ${list[0]}, ${step.pos})`, { writes: true });
  const at = group === null || list.length > 1 ? null : certainOverload(group, [base.value, ...values]);
  const [form, which] =
    at === null
      ? [sized("H.change", 2, list), f.script.group(step.name, list.length + 1)]
      : [`H.changeBy${list.length}`, f.script.overload(step.name, list.length + 1, at)];
  const js = `${form}(R, ${which}, ${base.js}, ${spread(2, list)}${step.pos})`;
  return result(call, wrap(call, js), { writes: true });
}

/** Natives that may change their target: arrays are changed where they are. */
function mutatingMethod(call: MethodCall): Operand {
  const { f, base, prefix, step } = call;
  const bare = prefix.length === 0;
  if (base.constant || (bare && base.kind !== "local"))
    return bare ? dispatched(call) : inGeneral(call, call.args, false);
  if (bare && base.value.type === "array") return changeOfArray(call);
  const groupName = f.script.group(step.name, step.args.length + 1);
  const { args, set } = makeSimple(f, detached(call));
  const list = methodArguments(f, base, step, args.get(step) ?? []);
  const target = bare ? base.js : f.temp();
  const fast = isStandardPush(f.script.natives.group(step.name, list.length + 1))
    ? `H.push(R, ${target}, ${list[0]}, ${step.pos})`
    : wrap(call, `${sized("H.change", 2, list)}(R, ${groupName}, ${target}, ${spread(2, list)}${step.pos})`);
  if (bare) {
    const place = cellOf(f, base);
    const other = `H.dispatch(R, ${site(call)}, ${place.cell}, [${list.join(", ")}], ${places(call)})`;
    const slow = restoreInline(f, place, wrap(call, other));
    return result(call, `(${set}${target} instanceof H.RhaiArray ? ${fast} : ${slow})`, { writes: true });
  }
  const start = base.kind === "this" ? `H.changeable(${base.js})` : base.value.js;
  const slow = inGeneral(call, args, true);
  const found = `(${target} = ${readMutable(f, start, prefix, args)})`;
  return result(call, `(${set}${found} instanceof H.RhaiArray ? ${fast} : ${slow.js})`, { writes: true });
}
