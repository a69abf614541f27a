import type { RunLimits } from "../shared/limits.ts";
import type { ExecutorOptions, RunRequest } from "./model.ts";
import { needsOf, type Needs } from "./needs.ts";

/** One version of one script, and what was learned about it. */
export class Source {
  readonly text: string;
  /** Null: none of `ctx`. */
  readonly needs: Needs | null;
  readonly version: number;
  readonly limits: RunLimits;
  readonly scriptId: string;
  readonly scriptName: string;
  #runs = 0;
  #lastMs = 0;
  /** Share of recent runs that were slow, each new run counting for a twentieth. */
  #slowShare = 0;

  constructor(text: string, run: Pick<RunRequest, "limits" | "scriptId" | "scriptName" | "version">) {
    this.version = run.version;
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

/** Characters of source text kept in the main thread, whatever the number of scripts. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * Source texts, read when first needed; of each script the version that was last asked for. A version is immutable, so
 * nothing here ever grows stale; name and limits are compared because they may come to differ for the same version.
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
    const known = this.#known.get(run.scriptId);
    if (known !== undefined && known.version === run.version) {
      if (known.limits === run.limits && known.scriptName === run.scriptName) return known;
      return this.#keep(new Source(known.text, run));
    }
    const key = `${run.scriptId}:${run.version}`;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(run).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #read(run: RunRequest): Promise<Source | null> {
    const text = await this.#load(run.appId, run.scriptId, run.version);
    return text === null ? null : this.#keep(new Source(text, run));
  }

  #keep(source: Source): Source {
    this.#forget(source.scriptId);
    this.#known.set(source.scriptId, source);
    this.#characters += source.text.length;
    for (const oldest of this.#known.keys()) {
      if (this.#characters <= MAX_CHARACTERS || oldest === source.scriptId) break;
      this.#forget(oldest);
    }
    return source;
  }

  #forget(scriptId: string): void {
    this.#characters -= this.#known.get(scriptId)?.text.length ?? 0;
    this.#known.delete(scriptId);
  }
}
