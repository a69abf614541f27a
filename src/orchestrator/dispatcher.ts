import type { Database } from "../database/client.ts";
import type { Catalog } from "../services/catalog/index.ts";
import {
  backoffMs,
  bury,
  claim,
  complete,
  completeHandler,
  DEFAULT_JITTER,
  giveBack,
  msUntilDue,
  postpone,
  releaseClaims,
  renew,
  type Delivery,
} from "../services/events/index.ts";
import { AppError } from "../shared/errors.ts";
import { newId } from "../shared/ids.ts";
import { logger } from "../shared/log.ts";
import type { Runs } from "./runs.ts";
import { restoredRequest, type StoredRequest } from "./stored-request.ts";

export interface DispatcherOptions {
  readonly db: Database;
  readonly catalog: Catalog;
  readonly runOnce: Runs["runOnce"];
  /** Names this process in its claims; the same after a restart, so that it knows what it had. */
  readonly owner: string;
  /** Deliveries under way at most. */
  readonly maxConcurrent: number;
  /** A run this deep below the first is not made: events that cause themselves end here. */
  readonly maxDepth: number;
  /** By how much of itself a wait before another attempt may differ either way. */
  readonly jitter?: number;
  readonly random?: () => number;
}

export interface DispatcherStats {
  readonly underWay: number;
  /** Since the start. */
  readonly delivered: number;
  readonly failed: number;
  readonly deadLettered: number;
  readonly tooDeep: number;
}

export interface Dispatcher {
  /** Takes back what this process had claimed when it was last stopped, and begins. */
  start(): Promise<void>;
  /** Something may be due. Returns at once, and is cheap to call often. */
  wake(): void;
  stats(): DispatcherStats;
  /** Claims no more, waits for what is under way, and gives back what has not ended by then. */
  stop(graceMs: number): Promise<void>;
}

/** A claim that is not renewed for so long is void. */
const LEASE_SECONDS = 30;
const HEARTBEAT_MS = 10_000;
/** The gate was full. */
const GATE_FULL_MS = 250;
/** What is due is locked by somebody, as another process does for a moment when it claims. */
const LOCKED_MS = 100;
/** The database is away. */
const RETRY_MS = 2000;
/** `setTimeout` knows no more than 24.8 days. */
const LONGEST_MS = 24 * 3_600_000;
/** Characters of an error that are kept (CONTRACT 6.5). */
const MAX_ERROR = 8192;

const KINDS = ["kv", "docs", "cron", "pubsub", "email", "dead_letter", "http"] as const;

/**
 * Takes events from the outbox to runs of their handlers. Nothing polls: it looks when it is woken (by a hint that
 * something was written), when something it knows of becomes due (one timer), and after a delivery has ended.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, catalog, runOnce, owner, maxConcurrent } = options;
  const random = options.random ?? Math.random;
  const jitter = options.jitter ?? DEFAULT_JITTER;
  const underWay = new Set<Promise<void>>();
  const counts = { delivered: 0, failed: 0, deadLettered: 0, tooDeep: 0 };
  let timer: ReturnType<typeof setTimeout> | null = null;
  let heartbeat: ReturnType<typeof setInterval> | null = null;
  let looking = false;
  let again = false;
  /** Until the start: what is claimed then would be taken for what was left by the process before. */
  let stopped = true;

  function wake(): void {
    again = true;
    if (looking || stopped) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }

  async function look(): Promise<void> {
    try {
      let claimed = 0;
      while (again && !stopped) {
        again = false;
        const free = maxConcurrent - underWay.size;
        // Whoever ends looks again.
        if (free <= 0) return;
        const deliveries = await claim(db, { owner, limit: free, leaseSeconds: LEASE_SECONDS, kinds: KINDS });
        for (const delivery of deliveries) begin(delivery);
        claimed = deliveries.length;
        if (deliveries.length === free) again = true;
      }
      if (stopped) return;
      const dueMs = await msUntilDue(db, KINDS);
      arm(dueMs === 0 && claimed === 0 ? LOCKED_MS : dueMs);
    } catch (error) {
      logger("dispatcher").warning("cannot look for events, trying again: {error}", { error });
      arm(RETRY_MS);
    }
    // Woken between the last look and here.
    if (again && !stopped) queueMicrotask(wake);
  }

  function arm(ms: number | null): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (ms === null || stopped) return;
    timer = setTimeout(wake, Math.min(Math.ceil(ms), LONGEST_MS));
  }

  function begin(delivery: Delivery): void {
    heartbeat ??= setInterval(() => {
      renew(db, owner, LEASE_SECONDS).catch((error: unknown) =>
        logger("dispatcher").warning("claims could not be renewed: {error}", { error }),
      );
    }, HEARTBEAT_MS);
    const done = deliver(delivery)
      .catch((error: unknown) => {
        // The row keeps its claim until the lease ends, and is then tried again.
        logger("dispatcher").error("delivery {id} could not be ended: {error}", { id: delivery.id, error });
      })
      .finally(() => {
        underWay.delete(done);
        if (underWay.size === 0 && heartbeat !== null) {
          clearInterval(heartbeat);
          heartbeat = null;
        }
        wake();
      });
    underWay.add(done);
  }

  async function deliver(delivery: Delivery): Promise<void> {
    if (delivery.trigger_depth > options.maxDepth) {
      counts.tooDeep++;
      logger("dispatcher").warning("event {id} is {depth} levels deep and is not delivered", {
        id: delivery.id,
        depth: delivery.trigger_depth,
        appId: delivery.app_id,
        scriptId: delivery.script_id,
      });
      await complete(db, delivery);
      return;
    }
    const known = catalog.script(delivery.script_id);
    // Another process may have saved it a moment ago.
    if (known === undefined || known.liveVersion === null) await catalog.refresh(delivery.app_id);
    const script = catalog.script(delivery.script_id);
    if (script === undefined || script.kind === "module" || script.liveVersion === null) {
      await fail(delivery, "The script is gone, is a module, or has no live version.", false);
      return;
    }
    const { user_id: userId, username } = delivery;
    try {
      const stored = delivery.source_kind === "http" ? (JSON.parse(delivery.payload) as StoredRequest) : null;
      const { outcome, statusCode } = await runOnce({
        // What no run caused names its own first run as the root of all that follows, and whoever sent it was told.
        executionId:
          delivery.attempt_count === 1 && delivery.root_execution_id === delivery.id ? delivery.id : newId(),
        script,
        version: script.liveVersion,
        triggerKind: delivery.source_kind,
        principal:
          userId === null || username === null
            ? null
            : { userId, username, instanceRole: "member", key: null },
        requestId: stored?.request_id ?? delivery.id,
        request: stored === null ? null : restoredRequest(stored),
        event: stored === null ? delivery.payload : null,
        rerun: null,
        trigger: {
          id: delivery.trigger_id,
          depth: delivery.trigger_depth,
          attempt: delivery.attempt_count,
          rootExecutionId: delivery.root_execution_id,
        },
      });
      if (outcome.error !== null) await fail(delivery, outcome.error.message, true);
      // An answer that nobody gets can still say that it did not work (CONTRACT 3.4).
      else if (stored !== null && statusCode >= 500)
        await fail(delivery, `The script answered ${statusCode}.`, true);
      else await succeed(delivery);
    } catch (error) {
      if (error instanceof AppError && error.status === 503)
        await giveBack(db, delivery, GATE_FULL_MS * (1 + random()));
      else throw error;
    }
  }

  async function succeed(delivery: Delivery): Promise<void> {
    counts.delivered++;
    if (delivery.dead_letter_id !== null) await completeHandler(db, delivery, false);
    else await complete(db, delivery);
  }

  async function fail(delivery: Delivery, message: string, isWorthRetrying: boolean): Promise<void> {
    counts.failed++;
    const error = message.slice(0, MAX_ERROR).toWellFormed().replaceAll("\0", "");
    if (delivery.dead_letter_id !== null) {
      await completeHandler(db, delivery, true);
    } else if (isWorthRetrying && delivery.attempt_count < delivery.retry_max_attempts) {
      const policy = { backoff: delivery.retry_backoff, baseMs: delivery.retry_base_ms };
      await postpone(db, delivery, backoffMs(policy, delivery.attempt_count, random(), jitter), error);
    } else {
      counts.deadLettered++;
      await bury(db, delivery, error);
    }
  }

  return {
    async start() {
      const released = await releaseClaims(db, owner);
      if (released > 0)
        logger("dispatcher").info("{released} deliveries were cut off, and are tried again", { released });
      stopped = false;
      wake();
    },
    wake,
    stats: () => ({ ...counts, underWay: underWay.size }),
    async stop(graceMs) {
      stopped = true;
      arm(null);
      await Promise.race([Promise.all(underWay), Bun.sleep(graceMs)]);
      if (heartbeat !== null) clearInterval(heartbeat);
      await releaseClaims(db, owner);
    },
  };
}
