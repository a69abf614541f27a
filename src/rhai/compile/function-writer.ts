import type { Ident } from "../syntax/ast.ts";
import type { Pos } from "../syntax/position.ts";
import type { Types } from "./inference.ts";
import type { ScriptWriter } from "./script-writer.ts";
import { ANY, type Typed } from "./types.ts";

/** A float that is there if `test` holds; nothing need hold where that is empty. */
export interface Likely {
  readonly test: string;
  readonly bare: string;
}

/** A JavaScript expression for a value. */
export interface Operand extends Typed {
  readonly js: string;
  /** For a float: an expression for its bare number. `js` makes an object of it. */
  readonly bare: string | null;
  /** Where there may well be a float: its bare number, there if the test holds. */
  readonly likely: Likely | null;
  /** True when the value sits in a place, and must be copied before it is stored in another one. */
  readonly borrowed: boolean;
  /** True for an identifier or a literal, which may be written more than once. */
  readonly simple: boolean;
  /** True for a literal: nothing evaluated later can change it. */
  readonly constant: boolean;
  /** True when evaluating it may run code that changes captured variables or containers. */
  readonly effects: boolean;
  /** True when evaluating it may assign a local variable. */
  readonly writes: boolean;
  /** For a borrowed value: whether only code of this function can reach its place. */
  readonly local: boolean;
}

/** An operand of which no more is true than `facts` say. Written out, as compiling makes many. */
export const operand = (js: string, facts: Partial<Operand> = NO_FACTS): Operand => ({
  js,
  type: facts.type ?? ANY.type,
  bits: facts.bits ?? ANY.bits,
  bare: facts.bare ?? null,
  likely: facts.likely ?? null,
  borrowed: facts.borrowed ?? false,
  simple: facts.simple ?? false,
  constant: facts.constant ?? false,
  effects: facts.effects ?? false,
  writes: facts.writes ?? false,
  local: facts.local ?? false,
});

const NO_FACTS: Partial<Operand> = {};

/** The operand for a value that now sits in a variable of its own. */
export const stored = (name: string, { type, bits }: Typed): Operand =>
  operand(name, { type, bits, simple: true });

/** A literal in the output. */
export const literal = (js: string, type: Typed): Operand =>
  operand(js, { ...type, simple: true, constant: true });

/** A variable of the function being compiled, with the type that all its values have. */
export interface Variable extends Typed {
  readonly name: string;
  /** The JavaScript identifier of the value or of the cell; of a `likely` float null while it is in `bare`. */
  readonly js: string;
  readonly kind: "local" | "cell" | "float" | "likely";
  /** The identifier of the bare number of a float. */
  readonly bare: string;
  readonly constant: boolean;
}

/** What becomes of the value of a statement. */
export type Destination =
  | { readonly kind: "discard" }
  | { readonly kind: "variable"; readonly js: string }
  | { readonly kind: "return" };

export const DISCARD: Destination = { kind: "discard" };
export const RETURN: Destination = { kind: "return" };

/** A loop that `break` and `continue` may mean. */
export interface Loop {
  readonly label: string;
  readonly destination: Destination;
}

/** Before the number of a meter: the line that stands for it until all is known. */
const METER = "//meter ";

interface Meter {
  readonly operations: Pos[];
  readonly needed: Pos | null;
}

/** Collects the JavaScript of one Rhai function or script body. */
export class FunctionWriter {
  readonly script: ScriptWriter;
  readonly isMain: boolean;
  readonly suspends: boolean;
  /** Set when variables live in a scope that exists at run time, for `eval` and calls that capture the scope. */
  readonly dynamic: boolean;
  readonly captured: ReadonlySet<Ident>;
  /** What the variables of this function hold; null where nothing is known. */
  readonly types: Types | null;
  lines: string[] = [];
  /** Positions of what counts as operations since the last bump, in the order of evaluation. */
  operations: Pos[] = [];
  readonly locals: string[] = [];
  scope: Variable[] = [];
  readonly loops: Loop[] = [];
  /** How many `try` bodies surround this point. */
  tries = 0;
  /** Depth of blocks, 0 for the outermost one. */
  level = 0;
  usesImports = false;
  /** Inside of an array or map that the official parser makes a constant of. */
  inConstant = false;
  /** Parameters that may still belong to the caller: read, but never moved or changed without a copy. */
  readonly lent = new Set<string>();
  readonly #meters: Meter[] = [];

  constructor(
    script: ScriptWriter,
    options: {
      isMain: boolean;
      suspends: boolean;
      dynamic: boolean;
      captured: ReadonlySet<Ident>;
      types: Types | null;
    },
  ) {
    this.script = script;
    this.isMain = options.isMain;
    this.suspends = options.suspends;
    this.dynamic = options.dynamic;
    this.captured = options.captured;
    this.types = options.types;
  }

  emit(line: string): void {
    this.lines.push(line);
  }

  /** A fresh local for an intermediate value. */
  temp(): string {
    const name = `t${this.script.nextId()}`;
    this.locals.push(name);
    return name;
  }

  /** Counts one operation of the official tree walk. */
  count(pos: Pos): void {
    this.operations.push(pos);
  }

  /** Collects lines apart; the answer is what `write` emitted. */
  capture(write: () => void): string[] {
    const outer = this.lines;
    this.lines = [];
    try {
      write();
      return this.lines;
    } finally {
      this.lines = outer;
    }
  }

  /** Runs `write` with a fresh list of counted operations, and answers them. */
  counted(write: () => void): Pos[] {
    const outer = this.operations;
    this.operations = [];
    try {
      write();
      return this.operations;
    } finally {
      this.operations = outer;
    }
  }

  /**
   * Begins a stretch of code whose operations are counted at this point, all at once. `needed` gives a position to
   * count where there is no operation at all.
   */
  beginMeter(needed: Pos | null): void {
    const operations: Pos[] = [];
    this.emit(`${METER}${this.#meters.length}`);
    this.#meters.push({ operations, needed });
    this.operations = operations;
  }

  /** The code with the counting filled in. */
  withMeters(lines: readonly string[]): string {
    const code: string[] = [];
    for (const line of lines) {
      const meter = line.startsWith(METER) ? this.#meters[Number(line.slice(METER.length))] : undefined;
      const filled = meter === undefined ? line : meterCode(meter);
      if (filled !== "") code.push(filled);
    }
    return code.join("\n");
  }

  declare(ident: Ident, constant: boolean): Variable {
    const type = this.types?.variable(ident) ?? ANY;
    const kind = this.#kindOf(ident, type);
    const id = this.script.nextId();
    const js = `${kind === "cell" ? "c" : "v"}${id}`;
    const bare = `n${id}`;
    if (kind !== "float") this.locals.push(js);
    if (kind === "float" || kind === "likely") this.locals.push(bare);
    const variable: Variable = { name: ident.name, js, kind, bare, constant, ...type };
    this.scope.push(variable);
    return variable;
  }

  #kindOf(ident: Ident, type: Typed): Variable["kind"] {
    if (this.captured.has(ident)) return "cell";
    if (type.type === "float") return "float";
    return this.types?.isLikelyFloat(ident) === true ? "likely" : "local";
  }

  find(name: string): Variable | null {
    return this.scope.findLast((variable) => variable.name === name) ?? null;
  }
}

/** The positions are made where they are asked for, which is hardly ever. */
function meterCode({ operations, needed }: Meter): string {
  const positions = operations.length === 0 && needed !== null ? [needed] : operations;
  if (positions.length === 0) return "";
  return `if ((R.ops += ${positions.length}) > R.next) H.meter(R, [${positions.join(",")}]);`;
}
