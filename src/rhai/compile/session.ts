import type { Diagnostic } from "../syntax/diagnostics.ts";
import type { FnDef, Script } from "../syntax/ast.ts";
import { parse } from "../syntax/parser.ts";
import { DynamicScope } from "../runtime/dynamic-scope.ts";
import type { EngineLimits } from "../runtime/native.ts";
import type { RunOptions, RunResult } from "../runtime/run-options.ts";
import type { Runner, SessionState } from "./runner.ts";

/** How an input ended: as a run does, or with what is wrong with its text. */
export type InputResult = RunResult | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/**
 * Inputs that are run one after the other, as in a read-eval-print loop. Nothing is run twice: variables live in one
 * scope, and imports in one list, that every input gets; functions, which do nothing by being defined, are compiled
 * again with each input, so that earlier ones can call later ones. An input may define anew what another one defined.
 *
 * Lines are counted over the whole session, so that every place, also one in a function of an earlier input, is found
 * in `source`.
 */
export class Session {
  readonly #limits: EngineLimits;
  readonly #compile: (script: Script) => Runner;
  readonly #state: SessionState = { scope: new DynamicScope(), imports: [], globals: new Map() };
  #functions: readonly FnDef[] = [];
  #source = "";
  #lines = 0;

  constructor(limits: EngineLimits, compile: (script: Script) => Runner) {
    this.#limits = limits;
    this.#compile = compile;
  }

  /** Everything that was run so far, whether or not it compiled. */
  get source(): string {
    return this.#source;
  }

  /** The number of the line with which the next input begins, from 1. */
  get nextLine(): number {
    return this.#lines + 1;
  }

  /** Reads an input without running it: what is wrong with it, empty when nothing is. */
  check(input: string): readonly Diagnostic[] {
    const parsed = this.#parse(input);
    return parsed.ok ? [] : parsed.diagnostics;
  }

  /** Runs an input. Never throws. Of one that fails, the assignments stay, but not the variables it declared. */
  run(input: string, options: RunOptions = {}): InputResult | Promise<InputResult> {
    const parsed = this.#parse(input);
    this.#source += `${input}\n`;
    this.#lines += input.split("\n").length;
    if (!parsed.ok) return parsed;
    const { script } = parsed;
    const kept = this.#functions.filter((old) => !script.functions.some((fn) => isSameFunction(fn, old)));
    this.#functions = [...kept, ...script.functions];
    return this.#compile({ ...script, functions: this.#functions }).runIn(this.#state, options);
  }

  #parse(input: string): ReturnType<typeof parse> {
    return parse("\n".repeat(this.#lines) + input, this.#limits);
  }
}

const isSameFunction = (left: FnDef, right: FnDef): boolean =>
  left.name === right.name && left.thisType === right.thisType && left.params.length === right.params.length;
