import type { Exposition, HistogramSample, Sample } from "./exposition.ts";

/** A run that ended. */
export interface EndedRun {
  readonly appId: string;
  readonly scriptId: string;
  /** `http`, `cron`, … */
  readonly triggerKind: string;
  readonly status: string;
  readonly durationMs: number;
}

/** What a script is called in labels; undefined when it is gone. */
export type NamesOf = (scriptId: string) => { readonly app: string; readonly script: string } | undefined;

/** Scripts with series of their own (CONTRACT 14.7); further ones are counted together. */
export const MAX_SCRIPTS = 1000;
/** Of those; no app can be called that. */
const OTHER = "(other)";

/** Seconds. From what a small script takes to the longest time limit. */
const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

interface ScriptRuns {
  readonly appId: string;
  /** By trigger and status. */
  readonly counts: Map<string, Map<string, number>>;
}

interface Durations {
  readonly counts: number[];
  sum: number;
}

/** Counts runs since the start. Nothing but `observe` happens per run, and nothing at all without one. */
export class RunMetrics {
  readonly #scripts = new Map<string, ScriptRuns>();
  /** By app. */
  readonly #durations = new Map<string, Durations>();
  readonly #maxScripts: number;

  constructor(maxScripts = MAX_SCRIPTS) {
    this.#maxScripts = maxScripts;
  }

  observe({ appId, scriptId, triggerKind, status, durationMs }: EndedRun): void {
    let script = this.#scripts.get(scriptId);
    if (script === undefined) {
      const own = this.#scripts.size < this.#maxScripts;
      script = own ? undefined : this.#scripts.get(OTHER);
      if (script === undefined) {
        script = { appId: own ? appId : OTHER, counts: new Map() };
        this.#scripts.set(own ? scriptId : OTHER, script);
      }
    }
    let statuses = script.counts.get(triggerKind);
    if (statuses === undefined) script.counts.set(triggerKind, (statuses = new Map<string, number>()));
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    this.#time(script.appId, durationMs / 1000);
  }

  #time(appId: string, seconds: number): void {
    let durations = this.#durations.get(appId);
    if (durations === undefined) {
      durations = { counts: Array.from({ length: BOUNDS.length + 1 }, () => 0), sum: 0 };
      this.#durations.set(appId, durations);
    }
    let bucket = 0;
    while (bucket < BOUNDS.length && seconds > (BOUNDS[bucket] ?? 0)) bucket++;
    durations.counts[bucket] = (durations.counts[bucket] ?? 0) + 1;
    durations.sum += seconds;
  }

  /** Writes the families; what was counted for scripts that are gone is forgotten. */
  write(out: Exposition, namesOf: NamesOf): void {
    const counts: Sample[] = [];
    const apps = new Map<string, string>();
    for (const [id, { appId, counts: triggers }] of this.#scripts) {
      const names = id === OTHER ? { app: OTHER, script: OTHER } : namesOf(id);
      if (names === undefined) {
        this.#scripts.delete(id);
        continue;
      }
      apps.set(appId, names.app);
      for (const [trigger, statuses] of triggers)
        for (const [status, count] of statuses) counts.push([{ ...names, trigger, status }, count]);
    }
    const durations: HistogramSample[] = [];
    for (const [id, { counts: buckets, sum }] of this.#durations) {
      const app = apps.get(id);
      if (app === undefined) this.#durations.delete(id);
      else durations.push({ labels: { app }, counts: buckets, sum });
    }
    out.counter("picloud_executions_total", "Runs that ended, since the start.", counts);
    out.histogram(
      "picloud_execution_duration_seconds",
      "Time that runs took, without waiting for a slot.",
      BOUNDS,
      durations,
    );
  }
}
