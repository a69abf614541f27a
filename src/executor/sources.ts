import type { ModuleSet, ModuleVersion } from "../services/catalog/index.ts";
import type { RunLimits } from "../shared/limits.ts";
import type { ExecutorOptions, RunRequest } from "./model.ts";
import { mentionsLetters } from "./sdk/mentions.ts";
import { needsOf, type Needs } from "./needs.ts";

/** One version of a module. The same object for all scripts that import it, as long as it is kept. */
export interface ModuleSource {
  readonly name: string;
  readonly text: string;
}

/** One version of one script with the modules that it can reach, and what was learned about it. */
export class Source {
  readonly text: string;
  readonly modules: readonly ModuleSource[];
  readonly set: ModuleSet;
  /** Null: none of `ctx`. */
  readonly needs: Needs | null;
  /** Whether it or a module of its may ask what only some may. */
  readonly isPrivileged: boolean;
  readonly version: number;
  readonly limits: RunLimits;
  readonly scriptId: string;
  readonly scriptName: string;
  #runs = 0;
  #lastMs = 0;
  /** What a run computes, each new one counting for a twentieth. */
  #usualMs = 0;

  constructor(
    text: string,
    modules: readonly ModuleSource[],
    run: Pick<RunRequest, "limits" | "modules" | "scriptId" | "scriptName" | "version">,
  ) {
    this.version = run.version;
    this.text = text;
    this.modules = modules;
    this.set = run.modules;
    // Modules are functions: they see nothing of `ctx` but what they are given.
    this.needs = needsOf(text);
    this.isPrivileged = mentionsLetters(text) || modules.some((module) => mentionsLetters(module.text));
    this.limits = run.limits;
    this.scriptId = run.scriptId;
    this.scriptName = run.scriptName;
  }

  /**
   * How many runs one worker may have, in line or waiting for something: as many as it gets through about as soon as another
   * worker would be warm. 1: each is better off alone. A slow run now and then says little, since the system may have taken the
   * processor away for a while.
   */
  get lineLength(): number {
    return this.#runs < FAST_AFTER_RUNS
      ? 1
      : Math.max(1, Math.min(MAX_LINE, Math.floor(LINE_MS / this.#usualMs)));
  }

  /** Whether it computes for so long that it should yield to others. */
  get isLong(): boolean {
    return this.#lastMs > LONG_MS;
  }

  /**
   * @param busyMs that it computed, without what it waited for
   * @param isCold whether it is one of the first runs of this version in its worker
   */
  learn(busyMs: number, isCold: boolean): void {
    this.#runs++;
    this.#lastMs = busyMs;
    if (isCold && busyMs <= USUAL_WHEN_COLD_MS) return;
    this.#usualMs += (Math.min(busyMs, LINE_MS) - this.#usualMs) / 20;
  }
}

const FAST_AFTER_RUNS = 3;
/** What the runs of one worker may compute together. */
const LINE_MS = 25;
/** Runs that may be with one worker. */
const MAX_LINE = 32;
/** Compiling takes some milliseconds, and so does opening a connection: that must not spread runs over cold workers. */
const USUAL_WHEN_COLD_MS = 10;
/** A run that has taken this long gets a lower priority. */
export const LONG_MS = 50;

/** Characters of source text kept in the main thread, whatever the number of scripts. */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/**
 * Source texts, read when first needed; of each script the version that was last asked for. A version is immutable, so
 * nothing here ever grows stale; name, limits and modules are compared because they may come to differ for the same
 * version. A run gets the modules that were live when it was asked for, and never a mixture.
 */
export class Sources {
  readonly #load: ExecutorOptions["loadSource"];
  readonly #known = new Map<string, Source>();
  readonly #loading = new Map<string, Promise<Source | null>>();
  readonly #modules = new Map<string, { readonly version: number; readonly source: ModuleSource }>();
  #characters = 0;

  constructor(load: ExecutorOptions["loadSource"]) {
    this.#load = load;
  }

  /** Null: there is no such version. */
  get(run: RunRequest): Source | Promise<Source | null> {
    const known = this.#known.get(run.scriptId);
    if (known !== undefined && known.version === run.version && known.set === run.modules) {
      if (known.limits === run.limits && known.scriptName === run.scriptName) return known;
      return this.#keep(new Source(known.text, known.modules, run));
    }
    // Whoever waits for the same version may wait for other modules.
    if (run.modules.modules.length > 0) return this.#read(run);
    const key = `${run.scriptId}:${run.version}`;
    let loading = this.#loading.get(key);
    if (loading === undefined) {
      loading = this.#read(run).finally(() => this.#loading.delete(key));
      this.#loading.set(key, loading);
    }
    return loading;
  }

  async #read(run: RunRequest): Promise<Source | null> {
    const known = this.#known.get(run.scriptId);
    const [text, ...modules] = await Promise.all([
      known?.version === run.version ? known.text : this.#load(run.appId, run.scriptId, run.version),
      ...run.modules.modules.map((module) => this.#module(run.appId, module)),
    ]);
    if (text === null) return null;
    // One that was deleted just now is missing like any other.
    const present = modules.filter((module) => module !== null);
    return this.#keep(new Source(text, present, run));
  }

  async #module(appId: string, { name, scriptId, version }: ModuleVersion): Promise<ModuleSource | null> {
    const known = this.#modules.get(scriptId);
    if (known !== undefined && known.version === version && known.source.name === name) return known.source;
    const text = await this.#load(appId, scriptId, version);
    if (text === null) return null;
    const source = { name, text };
    this.#forgetModule(scriptId);
    this.#modules.set(scriptId, { version, source });
    this.#characters += text.length;
    this.#makeRoom();
    return source;
  }

  #keep(source: Source): Source {
    this.#forget(source.scriptId);
    this.#known.set(source.scriptId, source);
    this.#characters += source.text.length;
    this.#makeRoom(source.scriptId);
    return source;
  }

  /** The oldest scripts go first, then modules. */
  #makeRoom(butFor?: string): void {
    for (const oldest of this.#known.keys()) {
      if (this.#characters <= MAX_CHARACTERS || oldest === butFor) break;
      this.#forget(oldest);
    }
    for (const oldest of this.#modules.keys()) {
      if (this.#characters <= MAX_CHARACTERS) break;
      this.#forgetModule(oldest);
    }
  }

  #forget(scriptId: string): void {
    this.#characters -= this.#known.get(scriptId)?.text.length ?? 0;
    this.#known.delete(scriptId);
  }

  #forgetModule(scriptId: string): void {
    this.#characters -= this.#modules.get(scriptId)?.source.text.length ?? 0;
    this.#modules.delete(scriptId);
  }
}
