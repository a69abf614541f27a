import type { RunLimits } from "../shared/limits.ts";
import type { ExecutorOptions, RunRequest } from "./model.ts";

/** Which parts of `ctx` a script can possibly look at: everything else need not be posted. */
export type Needs = "nothing" | "basics" | "everything";

/** One version of one script, and what was learned about it. */
export class Source {
  readonly text: string;
  readonly needs: Needs;
  readonly limits: RunLimits;
  readonly scriptId: string;
  readonly scriptName: string;
  #runs = 0;
  #lastMs = 0;
  /** Share of recent runs that were slow, each new run counting for a twentieth. */
  #slowShare = 0;

  constructor(text: string, run: Pick<RunRequest, "limits" | "scriptId" | "scriptName">) {
    this.text = text;
    this.needs = needsOf(text);
    this.limits = run.limits;
    this.scriptId = run.scriptId;
    this.scriptName = run.scriptName;
  }

  /**
   * Whether several runs may wait in line for one worker: each is over before another worker would have begun. A slow
   * run now and then says nothing, since the system may have taken the processor away for a while.
   */
  get isFast(): boolean {
    return this.#runs >= FAST_AFTER_RUNS && this.#slowShare < 0.3;
  }

  /** Whether it computes for so long that it should yield to others. */
  get isLong(): boolean {
    return this.#lastMs > LONG_MS;
  }

  learn(durationMs: number): void {
    this.#runs++;
    this.#lastMs = durationMs;
    this.#slowShare = this.#slowShare * 0.95 + (durationMs > FAST_MS ? 0.05 : 0);
  }
}

const FAST_AFTER_RUNS = 3;
const FAST_MS = 0.5;
/** A run that has taken this long gets a lower priority. */
export const LONG_MS = 50;

/** `ctx` followed by a member that is cheap to post. Anything else that says `ctx` may need all of it. */
const BASIC_MEMBERS =
  /\bctx\b(?!\.(?:request\.(?:params|path|query|query_all|rest|method|host|body)|execution_id|request_id|script_id|script_name|sdk_version|invocation_type)\b)/;

/** Errs on the side of more: comments and strings count. There is no other way to reach `ctx` than by its name. */
export function needsOf(source: string): Needs {
  if (!source.includes("ctx")) return "nothing";
  return BASIC_MEMBERS.test(source) ? "everything" : "basics";
}

/** Characters of source text kept in the main thread, whatever the number of scripts. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * Source texts by version, read when first needed. Versions are immutable, so nothing here ever grows stale; the name
 * and the limits belong to the key because they may come to differ for the same version.
 */
export class Sources {
  readonly #load: ExecutorOptions["loadSource"];
  readonly #known = new Map<string, Source>();
  readonly #loading = new Map<string, Promise<Source | null>>();
  #characters = 0;

  constructor(load: ExecutorOptions["loadSource"]) {
    this.#load = load;
  }

  /** Null: there is no such version. */
  get(run: RunRequest): Source | Promise<Source | null> {
    const key = `${run.scriptId}:${run.version}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.limits === run.limits && known.scriptName === run.scriptName)
      return known;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(run, key, known);
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #read(run: RunRequest, key: string, known: Source | undefined): Promise<Source | null> {
    try {
      const text = known?.text ?? (await this.#load(run.appId, run.scriptId, run.version));
      if (text === null) return null;
      const source = new Source(text, run);
      if (known !== undefined) this.#forget(key, known);
      this.#known.set(key, source);
      this.#characters += text.length;
      for (const [oldest, old] of this.#known) {
        if (this.#characters <= MAX_CHARACTERS || old === source) break;
        this.#forget(oldest, old);
      }
      return source;
    } finally {
      this.#loading.delete(key);
    }
  }

  #forget(key: string, source: Source): void {
    this.#known.delete(key);
    this.#characters -= source.text.length;
  }
}
