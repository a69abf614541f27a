import type { Database } from "../database/client.ts";
import { isConnectionError } from "../database/errors.ts";
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
  releaseLostClaims,
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
/** The database is away: the first wait before it is asked again, and the longest. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2000;
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
  /** By id, until the outbox knows how it ended. */
  const underWay = new Map<string, Promise<void>>();
  const counts = { delivered: 0, failed: 0, deadLettered: 0, tooDeep: 0 };
  let timer: ReturnType<typeof setTimeout> | null = null;
  let heartbeat: ReturnType<typeof setInterval> | null = null;
  let looking = false;
  let again = false;
  let stopped = false;
  /** And has given back what it had. */
  let gone = false;
  /** When the claims of what is under way were last known to be good, by `performance.now()`. */
  let renewedAt = 0;
  /** A claim may have been made whose answer was lost. */
  let mayHaveLostClaims = false;
  let retryMs = FIRST_RETRY_MS;

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
      while (again && !stopped) {
        again = false;
        const free = maxConcurrent - underWay.size;
        // Whoever ends looks again.
        if (free <= 0) return;
        await putClaimsRight();
        const deliveries = await claim(db, { owner, limit: free, leaseSeconds: LEASE_SECONDS, kinds: KINDS });
        for (const delivery of deliveries) begin(delivery);
        if (deliveries.length === free) again = true;
      }
      if (!stopped) arm(await msUntilDue(db, KINDS));
      retryMs = FIRST_RETRY_MS;
    } catch (error) {
      mayHaveLostClaims = true;
      // Whoever wakes it meanwhile would have it ask without a pause.
      again = false;
      logger("dispatcher").warning("cannot look for events, trying again: {error}", { error });
      arm(retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
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

  /** After the database was away: what waits for no run is due again, and what is under way is not claimed anew. */
  async function putClaimsRight(): Promise<void> {
    if (mayHaveLostClaims) {
      await releaseLostClaims(db, owner, [...underWay.keys()]);
      mayHaveLostClaims = false;
    }
    if (underWay.size > 0 && performance.now() - renewedAt > (LEASE_SECONDS * 1000) / 2) await renewAll();
  }

  async function renewAll(): Promise<void> {
    await renew(db, owner, [...underWay.keys()], LEASE_SECONDS);
    renewedAt = performance.now();
  }

  function begin(delivery: Delivery): void {
    if (underWay.size === 0) renewedAt = performance.now();
    heartbeat ??= setInterval(() => {
      renewAll().catch((error: unknown) =>
        logger("dispatcher").warning("claims could not be renewed: {error}", { error }),
      );
    }, HEARTBEAT_MS);
    const done = deliver(delivery)
      .catch((error: unknown) => {
        // The row keeps its claim until the lease ends, and is then tried again.
        logger("dispatcher").error("delivery {id} could not be ended: {error}", { id: delivery.id, error });
      })
      .finally(() => {
        if (underWay.get(delivery.id) === done) underWay.delete(delivery.id);
        if (underWay.size === 0 && heartbeat !== null) {
          clearInterval(heartbeat);
          heartbeat = null;
        }
        wake();
      });
    underWay.set(delivery.id, done);
  }

  /**
   * Tells the outbox how a delivery ended, again and again while the database is away: a row that does not know would
   * wait for its lease, and then run once more. Saying it twice is saying it once, as each attempt has its number.
   */
  async function tell(statement: () => Promise<unknown>): Promise<void> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LAST_RETRY_MS)) {
      try {
        await statement();
        return;
      } catch (error) {
        if (!isConnectionError(error) || gone) throw error;
        await Bun.sleep(waitMs);
      }
    }
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
      await tell(() => complete(db, delivery));
      return;
    }
    if (delivery.attempt_count > delivery.retry_max_attempts) {
      // Such as an event whose handler takes the machine down: it must not do so for ever.
      await fail(delivery, "PiCloud stopped while it ran, and that was the last attempt.", false);
      return;
    }
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
        await tell(() => giveBack(db, delivery, GATE_FULL_MS * (1 + random())));
      else throw error;
    }
  }

  async function succeed(delivery: Delivery): Promise<void> {
    counts.delivered++;
    await tell(() =>
      delivery.dead_letter_id === null ? complete(db, delivery) : completeHandler(db, delivery, false),
    );
  }

  async function fail(delivery: Delivery, message: string, isWorthRetrying: boolean): Promise<void> {
    counts.failed++;
    const error = message.slice(0, MAX_ERROR).toWellFormed().replaceAll("\0", "");
    if (delivery.dead_letter_id !== null) {
      await tell(() => completeHandler(db, delivery, true));
    } else if (isWorthRetrying && delivery.attempt_count < delivery.retry_max_attempts) {
      const policy = { backoff: delivery.retry_backoff, baseMs: delivery.retry_base_ms };
      const waitMs = backoffMs(policy, delivery.attempt_count, random(), jitter);
      await tell(() => postpone(db, delivery, waitMs, error));
    } else {
      counts.deadLettered++;
      await tell(() => bury(db, delivery, error));
    }
  }

  return {
    async start() {
      const released = await releaseClaims(db, owner);
      if (released > 0)
        logger("dispatcher").info("{released} deliveries were cut off, and are tried again", { released });
      wake();
    },
    wake,
    stats: () => ({ ...counts, underWay: underWay.size }),
    async stop(graceMs) {
      stopped = true;
      arm(null);
      await Promise.race([Promise.all(underWay.values()), Bun.sleep(graceMs)]);
      gone = true;
      if (heartbeat !== null) clearInterval(heartbeat);
      await releaseClaims(db, owner);
    },
  };
}
