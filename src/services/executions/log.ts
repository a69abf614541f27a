import type { Database } from "../../database/client.ts";
import { isConnectionError } from "../../database/errors.ts";
import type { Clock } from "../../shared/clock.ts";
import { logger } from "../../shared/log.ts";
import { createAdmission } from "./admission.ts";
import type { ExecutionRow, ExecutionStatus } from "./model.ts";
import { insertDrops, insertExecutions } from "./queries.ts";

export interface ExecutionLog {
  /**
   * Whether a run that ended gets a row. If not, it is counted as dropped; if so, `record` must follow. Asked first,
   * because under load making the row costs more than the run.
   */
  wants(appId: string, scriptId: string, status: ExecutionStatus, createdAt: number): boolean;
  /** Remembers a run that is wanted. Returns at once, never throws; the row is written shortly after. */
  record(row: ExecutionRow): void;
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
/** Rows that may wait; successes leave the last fifth to failures. */
const MAX_ROWS = 10_000;
/** Characters of JSON that may wait: rows with many log lines are large. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** Counts of dropped rows are written at most this often. */
const DROPS_MS = 5000;

/**
 * The writer of the execution log: a buffer, one timer that is armed only while something waits, one statement at a
 * time. Which runs get a row at all when there are too many is decided in `admission.ts`.
 */
export function createExecutionLog(db: Database, options: { readonly clock: Clock }): ExecutionLog {
  const { clock } = options;
  const admission = createAdmission(clock);
  /** JSON texts, oldest first. */
  let rows: {
    readonly json: string;
    readonly row: Pick<ExecutionRow, "appId" | "scriptId" | "createdAt">;
  }[] = [];
  let characters = 0;
  /** By script, of the current minute; and those of minutes that are over. */
  let drops = new Map<string, Drops>();
  let olderDrops: Drops[] = [];
  let dropsWrittenAt = -Infinity;
  let timer: { readonly handle: ReturnType<typeof setTimeout>; readonly ms: number } | null = null;
  let writing: Promise<void> = Promise.resolve();
  let stopped = false;

  function wants(appId: string, scriptId: string, status: ExecutionStatus, createdAt: number): boolean {
    if (stopped) return false;
    const failed = status !== "success";
    const room = failed ? 1 : 0.8;
    const fits = rows.length < MAX_ROWS * room && characters < MAX_CHARACTERS * room;
    if (fits && admission.admit(appId, failed)) return true;
    countDrop(appId, scriptId, createdAt);
    arm(DROPS_MS);
    return false;
  }

  function record(row: ExecutionRow): void {
    if (stopped) return;
    const json = toJson(row);
    rows.push({ json, row: { appId: row.appId, scriptId: row.scriptId, createdAt: row.createdAt } });
    characters += json.length;
    arm(COLLECT_MS);
  }

  function countDrop(appId: string, scriptId: string, createdAt: number): void {
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
      const batch = rows.slice(0, BATCH_ROWS);
      if (batch.length === 0) break;
      try {
        await insertExecutions(db, `[${batch.map(({ json }) => json).join(",")}]`);
      } catch (error) {
        if (!stopped && isConnectionError(error)) {
          // They wait, as long as there is room.
          retry = RETRY_MS;
          break;
        }
        logger("executions").error("cannot write the execution log: {error}", { error, rows: batch.length });
        for (const { row } of batch) countDrop(row.appId, row.scriptId, row.createdAt);
      }
      rows = rows.slice(batch.length);
      for (const { json } of batch) characters -= json.length;
    } while (everything);
    await writeDrops(everything);
    if (rows.length > 0) arm(retry);
    else if (drops.size > 0) arm(DROPS_MS);
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
    wants,
    record(row) {
      try {
        record(row);
      } catch (error) {
        logger("executions").error("cannot record a run: {error}", { error });
      }
    },
    flush,
    async stop() {
      stopped = true;
      await flush();
    },
  };
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

function toJson(row: ExecutionRow): string {
  const json = JSON.stringify({
    app_id: row.appId,
    id: row.id,
    script_id: row.scriptId,
    version: row.version,
    request_id: row.requestId,
    root_execution_id: row.rootExecutionId,
    trigger_kind: row.triggerKind,
    trigger_id: row.triggerId,
    status: row.status,
    status_code: row.statusCode,
    duration_ms: row.durationMs,
    operations: row.operations,
    request: row.request?.() ?? null,
    response_summary: row.responseSummary,
    error: row.error,
    logs: row.logs,
    created_ms: Math.floor(row.createdAt),
  });
  // Postgres holds no NUL in text. Escapes are matched whole, so that an escaped backslash before `u0000` stays.
  return json.includes("\\u0000")
    ? json.replace(/\\(?:u0000|[^])/g, (escape) => (escape === "\\u0000" ? "\\ufffd" : escape))
    : json;
}
