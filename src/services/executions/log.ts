import type { Database } from "../../database/client.ts";
import { isConnectionError } from "../../database/errors.ts";
import type { Clock } from "../../shared/clock.ts";
import { logger } from "../../shared/log.ts";
import { createAdmission } from "./admission.ts";
import type { ExecutionRow, LogDTO } from "./model.ts";
import { insertDrops, insertExecutions } from "./queries.ts";
import { requestOf, toJson } from "./row.ts";
import { createWatchers } from "./watchers.ts";

/** What must be known of a run to decide whether it gets a row. */
export type RunKey = Pick<ExecutionRow, "appId" | "scriptId" | "status" | "createdAt">;

export interface ExecutionLog {
  /**
   * Remembers a run that ended. Returns at once and never throws; the row is written shortly after, or counted as
   * dropped when there are too many.
   * @param make only called when somebody wants the row, because under load making it costs more than the run
   */
  record(run: RunKey, make: () => ExecutionRow): void;
  /** Tells of every run of an app that ends in this process, in the order they end, until the result is called. */
  watch(appId: string, onRun: (run: LogDTO) => void): () => void;
  /** Runs that got no row since the start, because there were too many. */
  dropped(): number;
  /** Writes what waits. Never rejects: rows that cannot be written are counted as dropped. */
  flush(): Promise<void>;
  /** Flushes and records no more. */
  stop(): Promise<void>;
}

/** Rows are collected for this long, so that a busy server sends few statements. */
const COLLECT_MS = 250;
/** While the database is away. */
const RETRY_MS = 2000;
/** Rows of one statement. With COLLECT_MS this bounds the whole log to 2,000 rows a second. */
const BATCH_ROWS = 500;
/** Characters of JSON of one statement. */
const BATCH_CHARACTERS = 4 * 1024 * 1024;
/** Rows that may wait; successes leave the last fifth to failures. */
const MAX_ROWS = 10_000;
/** Characters of JSON that may wait: rows with many log lines, or bodies, are large. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** Bytes of requests that wait to be made rows: beyond that they are made at once, which cuts them to 64 KiB each. */
const MAX_UNMADE = 4 * 1024 * 1024;
/** What a row is taken for until it is made. */
const TYPICAL_CHARACTERS = 1024;
/** Rows are made so many at a time, so that requests get their turn in between. */
const MADE_AT_ONCE = 50;
/** Counts of dropped rows are written at most this often. */
const DROPS_MS = 5000;

/**
 * The writer of the execution log: a buffer, one timer that is armed only while something waits, one statement at a
 * time. Which runs get a row at all when there are too many is decided in `admission.ts`.
 */
export function createExecutionLog(
  db: Database,
  options: {
    readonly clock: Clock;
    /** Told how many rows were written just now. */
    readonly onWritten?: (rows: number) => void;
  },
): ExecutionLog {
  const { clock } = options;
  const admission = createAdmission(clock);
  const watchers = createWatchers();
  /** Oldest first. */
  let waiting: Waiting[] = [];
  let characters = 0;
  let unmade = 0;
  /** By script, of the current minute; and those of minutes that are over. */
  let drops = new Map<string, Drops>();
  let olderDrops: Drops[] = [];
  let dropsWrittenAt = -Infinity;
  let timer: { readonly handle: ReturnType<typeof setTimeout>; readonly ms: number } | null = null;
  let writing: Promise<void> = Promise.resolve();
  let dropped = 0;
  let stopped = false;

  function record(run: RunKey, make: () => ExecutionRow): void {
    if (stopped) return;
    const watched = watchers.has(run.appId);
    const isAdmitted = admitted(run);
    if (!isAdmitted && !watched) return;
    const row = make();
    // Without the body, which is not part of what is told.
    if (watched) watchers.tell(row, row.request?.(() => false) ?? null);
    if (!isAdmitted) return;
    waiting.push({ run, row, json: "" });
    characters += TYPICAL_CHARACTERS;
    unmade += row.heldBytes;
    if (unmade > MAX_UNMADE) for (const entry of waiting) made(entry);
    arm(COLLECT_MS);
  }

  function admitted({ appId, scriptId, status, createdAt }: RunKey): boolean {
    const failed = status !== "success";
    const room = failed ? 1 : 0.8;
    const fits = waiting.length < MAX_ROWS * room && characters < MAX_CHARACTERS * room;
    if (fits && admission.admit(appId, failed)) return true;
    countDrop(appId, scriptId, createdAt);
    arm(DROPS_MS);
    return false;
  }

  /** The row as JSON. From here on it keeps nothing of the request alive. */
  function made(entry: Waiting): string {
    const { row } = entry;
    if (row === null) return entry.json;
    entry.row = null;
    entry.json = jsonOf(row);
    characters += entry.json.length - TYPICAL_CHARACTERS;
    unmade -= row.heldBytes;
    return entry.json;
  }

  function jsonOf(row: ExecutionRow): string {
    try {
      return toJson(row, requestOf(row, admission));
    } catch (error) {
      // The run has its row, if not a whole one; above all, others have theirs.
      logger("executions").error("cannot record all of a run: {error}", { error, execution_id: row.id });
      return toJson({ ...row, logs: [] }, null);
    }
  }

  function countDrop(appId: string, scriptId: string, createdAt: number): void {
    dropped++;
    const minute = Math.floor(createdAt / 60_000);
    const count = drops.get(scriptId);
    if (count?.minute === minute) {
      count.dropped++;
      return;
    }
    if (count !== undefined) olderDrops.push(count);
    drops.set(scriptId, { appId, scriptId, minute, dropped: 1 });
  }

  /** Makes sure that something is written after at most so many milliseconds. */
  function arm(ms: number): void {
    if (stopped || (timer !== null && timer.ms <= ms)) return;
    if (timer !== null) clearTimeout(timer.handle);
    const handle = setTimeout(() => {
      timer = null;
      writing = writing.then(() => write(false));
    }, ms);
    timer = { handle, ms };
  }

  async function write(everything: boolean): Promise<void> {
    let retry = COLLECT_MS;
    do {
      const batch = await nextBatch();
      if (batch.length === 0) break;
      try {
        await insertExecutions(db, `[${batch.join(",")}]`);
        options.onWritten?.(batch.length);
      } catch (error) {
        if (!stopped && isConnectionError(error)) {
          // They wait, as long as there is room.
          retry = RETRY_MS;
          break;
        }
        logger("executions").error("cannot write the execution log: {error}", { error, rows: batch.length });
        for (const { run } of waiting.slice(0, batch.length))
          countDrop(run.appId, run.scriptId, run.createdAt);
      }
      waiting = waiting.slice(batch.length);
      for (const json of batch) characters -= json.length;
    } while (everything);
    await writeDrops(everything);
    if (waiting.length > 0) arm(retry);
    else if (drops.size > 0) arm(DROPS_MS);
  }

  /** The JSON of the oldest rows, as many as go into one statement. They stay where they are. */
  async function nextBatch(): Promise<string[]> {
    const batch: string[] = [];
    let size = 0;
    for (let index = 0; index < BATCH_ROWS && size < BATCH_CHARACTERS; index++) {
      if (index > 0 && index % MADE_AT_ONCE === 0) await new Promise((resolve) => setImmediate(resolve));
      const entry = waiting[index];
      if (entry === undefined) break;
      const json = made(entry);
      batch.push(json);
      size += json.length;
    }
    return batch;
  }

  async function writeDrops(now: boolean): Promise<void> {
    if (drops.size === 0 || (!now && clock.monotonic() - dropsWrittenAt < DROPS_MS)) return;
    dropsWrittenAt = clock.monotonic();
    const counts = sum([...olderDrops, ...drops.values()]);
    olderDrops = [];
    drops = new Map();
    try {
      await insertDrops(
        db,
        JSON.stringify(
          counts.map(({ appId, scriptId, ...rest }) => ({ app_id: appId, script_id: scriptId, ...rest })),
        ),
      );
    } catch (error) {
      logger("executions").warning("cannot write counts of dropped rows: {error}", { error });
    }
  }

  function flush(): Promise<void> {
    if (timer !== null) clearTimeout(timer.handle);
    timer = null;
    writing = writing.then(() => write(true));
    return writing;
  }

  return {
    record(run, make) {
      try {
        record(run, make);
      } catch (error) {
        logger("executions").error("cannot record a run: {error}", { error });
      }
    },
    watch: watchers.add,
    dropped: () => dropped,
    flush,
    async stop() {
      stopped = true;
      await flush();
    },
  };
}

interface Waiting {
  readonly run: RunKey;
  /** Null: `json` is made. */
  row: ExecutionRow | null;
  json: string;
}

interface Drops {
  readonly appId: string;
  readonly scriptId: string;
  readonly minute: number;
  dropped: number;
}

/** One entry for each script and minute: a statement may touch a row only once. */
function sum(counts: readonly Drops[]): Drops[] {
  const sums = new Map<string, Drops>();
  for (const count of counts) {
    const key = `${count.scriptId}:${count.minute}`;
    const known = sums.get(key);
    if (known === undefined) sums.set(key, { ...count });
    else known.dropped += count.dropped;
  }
  return [...sums.values()];
}
