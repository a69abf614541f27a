import { Engine, parse, type CompiledScript, type RunOptions } from "../rhai/index.ts";
import { ANY_MODULE, NO_LINKS } from "../services/catalog/modules.ts";
import type { Checked } from "./model.ts";
import type { ConnectionTarget } from "../database/target.ts";
import type { Attempt } from "../services/events/index.ts";
import type { RunLimits } from "../shared/limits.ts";
import { effectsOf } from "./effects.ts";
import { ending, faultOf, isAnswer, NOT_BEGUN, wholeEnding, type Ending } from "./ending.ts";
import { compileFailure } from "./failure.ts";
import type { HeapBoard } from "./heap-board.ts";
import { HeapMeter } from "./heap-meter.ts";
import type { ContextFields, Failure, Greeting, Result, RunTime } from "./protocol.ts";
import type { ScriptModules } from "./script-modules.ts";
import { buildCtx } from "./sdk/ctx.ts";
import { nativeModules } from "./sdk/define.ts";
import { RunLog } from "./sdk/run-log.ts";
import { mentionsServices, mentionsTransactions } from "./sdk/mentions.ts";
import { RunContext, type Services } from "./sdk/run-context.ts";
import type { runWhole } from "./sdk/services/index.ts";
import { stateless } from "./sdk/stateless/index.ts";
import { pastDeadline, type Turn, type Turns } from "./turns.ts";

/** One version that this worker was given. */
export interface LoadedScript {
  readonly source: string;
  readonly scriptId: string;
  readonly scriptName: string;
  readonly limits: RunLimits;
  readonly imports: ScriptModules;
  /** Made at the first run. */
  compiled: CompiledScript | Failure | null;
}

/** What the run of a loaded script is given. */
export interface RunInput {
  readonly ticket: number;
  readonly appId: string;
  readonly executionId: string;
  /** Absent when the script cannot look at `ctx`. */
  readonly context: ContextFields | null;
  /** The setting `picloud.run` of what it writes; null: that causes no events. */
  readonly origin: string | null;
  /** The event that a transactional run is for. */
  readonly delivery: Attempt | null;
}

const CONSTANTS = ["ctx"];

const STATELESS = nativeModules(stateless);

type Notices = Pick<Services, "eventsCaused" | "expires" | "indexesChanged">;

/** What runs a script: the natives that it may call, and what those work with. */
interface Setting {
  readonly engine: Engine;
  /** Undefined for scripts that mention no service. */
  readonly services?: Services;
  readonly runWhole?: typeof runWhole;
}

/** Compiles and runs scripts in this thread. */
export class ScriptHost {
  /** Most scripts call no service: they load no driver, and nothing in them is compiled as what may wait. */
  readonly #plain: Setting = { engine: new Engine({ modules: STATELESS }) };
  #withServices: Setting | Promise<Setting> | null = null;
  readonly #meter: HeapMeter;
  readonly #turns: Turns;
  readonly #database: ConnectionTarget | null;
  readonly #notices: Notices;

  /** @param notices what the main thread is told of; see Services */
  constructor(
    {
      heaps,
      index,
      database,
    }: Omit<Greeting, "claims" | "heaps" | "statements"> & { readonly heaps: HeapBoard },
    notices: Notices,
    turns: Turns,
  ) {
    this.#meter = new HeapMeter(heaps, index, turns.underWay);
    this.#turns = turns;
    this.#database = database;
    this.#notices = notices;
  }

  check(source: string): Checked {
    const result = this.#plain.engine.compile(source, { constants: CONSTANTS });
    if (!result.ok) return { diagnostics: result.diagnostics, links: NO_LINKS };
    const { links, functions } = result.script;
    const exports = functions.filter(({ isPrivate, thisType }) => !isPrivate && thisType === null);
    return {
      diagnostics: [],
      links: {
        imports: links.importsComputed ? [...links.imports, ANY_MODULE] : links.imports,
        calls: links.calls,
        exports: exports.map(({ name, params }) => ({ name, arity: params.length })),
        ...effectsIn(source),
      },
    };
  }

  /** Never throws: whatever happens is a result. A promise only when the script waits for something. */
  run(script: LoadedScript, input: RunInput): Result | Promise<Result> {
    const turn = this.#turns.begin(input.ticket, script.limits.memoryBytes);
    const begun = performance.now();
    const result = this.#start(script, input, turn, begun);
    if (!(result instanceof Promise)) {
      this.#turns.end(turn);
      return [input.ticket, timeOf(performance.now() - begun, turn), ...result];
    }
    // In case it waits for something that Turns does not know of.
    this.#turns.release(turn);
    return result.then((end) => {
      this.#turns.end(turn);
      return [input.ticket, timeOf(performance.now() - begun, turn), ...end];
    });
  }

  #start(script: LoadedScript, input: RunInput, turn: Turn, begun: number): Ending | Promise<Ending> {
    const setting =
      mentionsServices(script.source) || script.imports.mentionServices
        ? this.#serviceSetting()
        : this.#plain;
    const work: Work = { script, input, turn, deadline: begun + script.limits.timeoutMs };
    if (!(setting instanceof Promise)) return this.#run(work, setting);
    const loaded = this.#turns.wait(turn, setting, { until: work.deadline, late: pastDeadline });
    return loaded.then(
      (found) => this.#run(work, found),
      (error: unknown) => [0, faultOf(error)],
    );
  }

  #serviceSetting(): Setting | Promise<Setting> {
    this.#withServices ??= this.#loadServices().then((setting) => (this.#withServices = setting));
    return this.#withServices;
  }

  async #loadServices(): Promise<Setting> {
    const { openServices, runWhole, serviceNamespaces } = await import("./sdk/services/index.ts");
    return {
      engine: new Engine({ modules: [...STATELESS, ...nativeModules(serviceNamespaces)] }),
      ...(this.#database !== null && { services: openServices(this.#database, this.#notices), runWhole }),
    };
  }

  #run(work: Work, setting: Setting): Ending | Promise<Ending> {
    const { script } = work;
    const log = new RunLog();
    try {
      script.compiled ??= compile(setting.engine, script);
      if ("code" in script.compiled) return [0, script.compiled];
      const context = this.#context(work, log, setting);
      const options = this.#options(work, log, setting, context);
      const { delivery } = work.input;
      // A script without services has nothing to undo: whoever asked for the run ends its delivery.
      if (delivery !== null && setting.runWhole !== undefined) {
        return this.#runWhole(script, script.compiled, context, {
          delivery,
          options,
          runWhole: setting.runWhole,
        });
      }
      const result = script.compiled.run(options);
      return result instanceof Promise ? result.then((settled) => ending(settled, log)) : ending(result, log);
    } catch (error) {
      return [0, faultOf(error), log.finish()];
    }
  }

  /** The script's answer, of which the log has a summary, is made before the commit. */
  async #runWhole(
    script: LoadedScript,
    compiled: CompiledScript,
    context: RunContext,
    how: {
      readonly delivery: Attempt;
      readonly options: RunOptions;
      readonly runWhole: NonNullable<Setting["runWhole"]>;
    },
  ): Promise<Ending> {
    const isSerializable = mentionsTransactions(script.source) || script.imports.mentionTransactions;
    let end: Ending = [0, NOT_BEGUN];
    try {
      const became = await how.runWhole(context, how.delivery, { isSerializable }, async () => {
        const result = await compiled.run(how.options);
        end = ending(result, context.log, false);
        if (!result.ok && result.fault !== undefined) throw result.fault;
        return isAnswer(end);
      });
      return wholeEnding(end, became, context);
    } catch (error) {
      return [end[0], faultOf(error), context.log.finish()];
    }
  }

  #context({ script, input, turn, deadline }: Work, log: RunLog, { services }: Setting): RunContext {
    const { scriptId } = script;
    const { appId, executionId, origin } = input;
    const { maxSdkCalls: maxCalls } = script.limits;
    const run = { appId, scriptId, executionId, log, deadline, origin, maxCalls };
    return new RunContext(run, services, { turns: this.#turns, turn });
  }

  #options(
    { script, input, turn, deadline }: Work,
    log: RunLog,
    { engine }: Setting,
    context: RunContext,
  ): RunOptions {
    return {
      limits: engineLimits(script.limits),
      scope: input.context === null ? NO_SCOPE : { ctx: buildCtx(input.executionId, script, input.context) },
      deadline,
      ...this.#meter.of(turn),
      wait: (promise) => context.wait(promise),
      print: (text) => log.add("info", text),
      debug: (text) => log.add("trace", text),
      resolver: script.imports.resolver(engine),
      context,
    };
  }
}

/** What was made of a version's limits: one object for all its runs, so that the runtime works with them only once. */
const madeLimits = new WeakMap<RunLimits, NonNullable<RunOptions["limits"]>>();

function engineLimits(limits: RunLimits): NonNullable<RunOptions["limits"]> {
  const known = madeLimits.get(limits);
  if (known !== undefined) return known;
  const made = {
    maxOperations: limits.maxOperations,
    maxStringSize: limits.maxStringSize,
    maxArraySize: limits.maxArraySize,
    maxMapSize: limits.maxMapSize,
    maxCallLevels: limits.maxCallLevels,
    maxMemory: limits.memoryBytes,
  };
  madeLimits.set(limits, made);
  return made;
}

/** Only of those that may write or call others: parsing is not for nothing. */
function effectsIn(source: string): Pick<Checked["links"], "effects"> {
  if (!mentionsServices(source) && !source.includes("import")) return {};
  const parsed = parse(source);
  const effects = parsed.ok ? effectsOf(parsed.script) : [];
  return effects.length === 0 ? {} : { effects };
}

const timeOf = (durationMs: number, { busyMs }: Turn): RunTime =>
  durationMs - busyMs < 0.1 ? durationMs : [durationMs, busyMs];

/** A run that has begun. */
interface Work {
  readonly script: LoadedScript;
  readonly input: RunInput;
  readonly turn: Turn;
  /** In `performance.now()` milliseconds. */
  readonly deadline: number;
}

function compile(engine: Engine, script: LoadedScript): CompiledScript | Failure {
  const { maxExprDepth, maxStringSize, maxArraySize, maxMapSize } = script.limits;
  const result = engine.compile(script.source, {
    constants: CONSTANTS,
    limits: { maxExprDepth, maxStringSize, maxArraySize, maxMapSize },
  });
  return result.ok ? result.script : compileFailure(result.diagnostics);
}

const NO_SCOPE: NonNullable<RunOptions["scope"]> = { ctx: undefined };
