import type { RunRequest } from "./model.ts";
import type { Failure, Result } from "./protocol.ts";
import type { Source } from "./sources.ts";

/** How a job ended: what the worker said, or why it said nothing. */
export type JobEnd =
  | { readonly kind: "result"; readonly result: Result }
  | {
      readonly kind: "lost";
      readonly failure: Failure;
      readonly durationMs: number;
      readonly gone: Promise<void>;
    };

interface Work {
  readonly appId: string;
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  /** In `performance.now()` milliseconds, when it was last given to a worker. */
  postedAt: number;
  /** How often it had to wait behind a slow run; see ALONE_AFTER. */
  delays: number;
  /** Workers that died before they started it. */
  moves: number;
  readonly end: (end: JobEnd) => void;
}

/** One piece of work for a worker: a run of a version, or the check of a text. */
export type Job = Work &
  ({ readonly run: RunRequest; readonly source: Source } | { readonly run: null; readonly text: string });

/** A run that had to wait so often gets a worker for itself. */
const ALONE_AFTER = 2;

/** How many runs a worker may have that it joins; 1: none but this. */
export const lineLength = (job: Job): number =>
  job.run === null || job.delays >= ALONE_AFTER ? 1 : job.source.lineLength;

/** Whether it is a transaction as a whole, and so has a connection of its worker to itself. */
export const isWhole = (job: Job): boolean => job.run?.delivery !== undefined;

/**
 * Such runs that a worker may have at a time. None of them ever waits for a connection that another one holds: those beyond
 * that wait before they start, while their time is not counted yet.
 */
export const MAX_WHOLE_RUNS = 2;

/** Whether it is known to compute for long. */
export const isLong = (job: Job): boolean => job.run !== null && job.source.isLong;
