import type { Database } from "../database/client.ts";
import { isConnectionError, toAppError } from "../database/errors.ts";
import type { Catalog } from "../services/catalog/index.ts";
import {
  announceEvents,
  backoffMs,
  bury,
  claim,
  completeHandler,
  createCompletions,
  DEFAULT_JITTER,
  giveBack,
  postpone,
  releaseClaims,
  releaseLostClaims,
  renew,
  sweep,
  unblock,
  unblockAll,
  unblockNext,
  type Delivery,
} from "../services/events/index.ts";
import { newId } from "../shared/ids.ts";
import { logger } from "../shared/log.ts";
import { slotsOfOneApp } from "./gate.ts";
import type { OneRun, Runs } from "./runs.ts";
import { restoredRequest, storedKey, type StoredRequest } from "./stored-request.ts";
import { createWarmUp } from "./warm-up.ts";
import { createWholeRuns } from "./whole-runs.ts";

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
/** The same for a transactional delivery; see whole-runs.ts. */
const WHOLE_LEASE_SECONDS = 60;
/** The gate was full. */
const GATE_FULL_MS = 250;
/** What is due is locked by somebody, as another process does for a moment when it claims. */
const LOCKED_MS = 100;
/** The database is away: the first wait before it is asked again, and the longest. */
const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 2000;
/** `setTimeout` knows no more than 24.8 days. */
const LONGEST_MS = 24 * 3_600_000;
/** Due rows of each app that are looked at, and how many when all of them waited for others of their key. */
const WINDOW = 64;
const WIDE_WINDOW = 256;
/** Deliveries after which what is left of them is swept up: about as many rows as are skipped in a millisecond. */
const SWEEP_AFTER = 10_000;
/** Characters of an error that are kept (CONTRACT 6.5). */
const MAX_ERROR = 8192;

const KINDS = ["kv", "docs", "cron", "pubsub", "email", "dead_letter", "http"] as const;

const soonest = (...waits: readonly (number | null)[]): number | null =>
  waits.reduce((least, wait) => (least === null || (wait !== null && wait < least) ? wait : least), null);

/**
 * Takes events from the outbox to runs of their handlers. Nothing polls: it looks when it is woken (by a hint that
 * something was written), when something it knows of becomes due (one timer), and after a delivery has ended.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { db, catalog, runOnce, owner, maxConcurrent } = options;
  const random = options.random ?? Math.random;
  const jitter = options.jitter ?? DEFAULT_JITTER;
  const completions = createCompletions(db);
  const warmUp = createWarmUp(maxConcurrent);
  const wholeRuns = createWholeRuns({ db, random, leaseSeconds: WHOLE_LEASE_SECONDS });
  /** By the id of the delivery, until the outbox has been told how it ended. */
  const underWay = new Map<string, Promise<void>>();
  /** How many runs there are of each app. A delivery's run is over before the outbox is told. */
  const running = new Map<string, number>();
  let runs = 0;
  const counts = { delivered: 0, failed: 0, deadLettered: 0, tooDeep: 0 };
  let timer: ReturnType<typeof setTimeout> | null = null;
  let heartbeat: ReturnType<typeof setInterval> | null = null;
  let looking = false;
  let again = false;
  /** There were no slots for all that is due. */
  let isMoreDue = false;
  /** Of these apps, as the last look found. */
  let crowded: readonly string[] = [];
  /** Whether all apps are looked at next. Where only a slot has become free it is enough to ask those that were left. */
  let atAll = true;
  /** A delivery that ended may be due again, or has caused another. */
  let mustLook = false;
  let sinceSweep = 0;
  /** Until the start: what is claimed then would be taken for what was left by the process before. */
  let stopped = true;
  /** And has given back what it had. */
  let gone = false;
  /** When the claims of what is under way were last known to be good, by `performance.now()`. */
  let renewedAt = 0;
  /** A claim may have been made whose answer was lost. */
  let mayHaveLostClaims = false;
  let retryMs = FIRST_RETRY_MS;

  function wake(): void {
    atAll = true;
    lookAgain();
  }

  function lookAgain(): void {
    again = true;
    if (looking || stopped) return;
    looking = true;
    void look().finally(() => {
      looking = false;
    });
  }

  async function look(): Promise<void> {
    try {
      let window = WINDOW;
      while (again && !stopped) {
        again = false;
        mustLook = false;
        const free = warmUp.allowed(runs) - runs;
        if (free <= 0) {
          // Whose run ends looks again.
          isMoreDue = true;
          atAll = true;
          arm(warmUp.moreInMs());
          break;
        }
        await putClaimsRight();
        const apps = atAll ? null : crowded;
        atAll = false;
        const claimed = await claim(db, {
          apps,
          owner,
          limit: free,
          limitPerApp: slotsOfOneApp(maxConcurrent),
          underWay: running,
          held: [...underWay.keys()],
          leaseSeconds: LEASE_SECONDS,
          wholeLeaseSeconds: WHOLE_LEASE_SECONDS,
          kinds: KINDS,
          window,
        });
        for (const delivery of claimed.deliveries) begin(delivery);
        ({ crowded } = claimed);
        isMoreDue = crowded.length > 0;
        // The timer stands for all apps.
        if (apps === null || claimed.isLocked) {
          const moreMs = isMoreDue ? warmUp.moreInMs() : null;
          arm(soonest(claimed.nextMs, claimed.isLocked ? LOCKED_MS : null, moreMs));
        }
        if (claimed.blocked.length > 0) {
          await unblock(db, claimed.blocked);
          again = true;
          atAll ||= apps === null;
        }
        const foundNone = claimed.blocked.length > 0 && claimed.deliveries.length === 0;
        window = foundNone ? WIDE_WINDOW : WINDOW;
      }
      retryMs = FIRST_RETRY_MS;
    } catch (error) {
      mayHaveLostClaims = true;
      // Whoever wakes it meanwhile would have it ask without a pause.
      again = false;
      atAll = true;
      logger("dispatcher").warning("cannot look for events, trying again: {error}", { error });
      arm(retryMs);
      retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    }
    // Woken between the last look and here.
    if (again && !stopped) queueMicrotask(lookAgain);
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
    const ids = [...underWay.keys()].filter((id) => !wholeRuns.underWay.has(id));
    await renew(db, owner, ids, LEASE_SECONDS);
    renewedAt = performance.now();
  }

  function begin(delivery: Delivery): void {
    if (underWay.size === 0) renewedAt = performance.now();
    heartbeat ??= setInterval(() => {
      renewAll().catch((error: unknown) =>
        logger("dispatcher").warning("claims could not be renewed: {error}", { error }),
      );
    }, HEARTBEAT_MS);
    const leave = enter(delivery.app_id);
    const done = deliver(delivery, leave)
      .catch((error: unknown) => {
        // The row keeps its claim until the lease ends, and is then tried again.
        logger("dispatcher").error("delivery {id} could not be ended: {error}", { id: delivery.id, error });
        mustLook = true;
      })
      .finally(() => {
        leave();
        if (underWay.get(delivery.id) === done) underWay.delete(delivery.id);
        if (underWay.size === 0 && heartbeat !== null) {
          clearInterval(heartbeat);
          heartbeat = null;
        }
        if (mustLook || delivery.ordering_key !== null) wake();
        sweepSometimes();
      });
    underWay.set(delivery.id, done);
  }

  /** Takes a slot. @returns gives it back; may be called twice */
  function enter(appId: string): () => void {
    runs++;
    running.set(appId, (running.get(appId) ?? 0) + 1);
    let isIn = true;
    return () => {
      if (!isIn) return;
      isIn = false;
      runs--;
      warmUp.ended();
      const left = (running.get(appId) ?? 1) - 1;
      if (left > 0) running.set(appId, left);
      else running.delete(appId);
      if (isMoreDue) lookAgain();
    };
  }

  function sweepSometimes(): void {
    if (++sinceSweep < SWEEP_AFTER || stopped) return;
    sinceSweep = 0;
    sweep(db).catch((error: unknown) =>
      logger("dispatcher").warning("cannot sweep the outbox: {error}", { error }),
    );
  }

  /**
   * Tells the outbox how a delivery ended, again and again while the database is away: a row that does not know would
   * wait for its lease, and then run once more. Saying it twice is saying it once, as each attempt has its number.
   */
  async function tell<T>(statement: () => Promise<T>): Promise<T> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(waitMs * 2, LAST_RETRY_MS)) {
      try {
        return await statement();
      } catch (error) {
        if (!isConnectionError(error) || gone) throw error;
        await Bun.sleep(waitMs);
      }
    }
  }

  /** @param leave gives the run's slot back, as soon as the run is over */
  async function deliver(delivery: Delivery, leave: () => void): Promise<void> {
    if (delivery.trigger_depth > options.maxDepth) {
      counts.tooDeep++;
      logger("dispatcher").warning("event {id} is {depth} levels deep and is not delivered", {
        id: delivery.id,
        depth: delivery.trigger_depth,
        appId: delivery.app_id,
        scriptId: delivery.script_id,
      });
      await tell(() => completions.complete(delivery));
      return;
    }
    if (delivery.attempt_count > delivery.retry_max_attempts) {
      // Such as an event whose handler takes the machine down: it must not do so for ever.
      await fail(delivery, "PiCloud stopped while it ran, and that was the last attempt.", false);
      return;
    }
    const known = catalog.script(delivery.script_id);
    // Another process may have saved it a moment ago.
    if (known === undefined || known.liveVersion === null) await catalog.refresh(delivery.app_id);
    const script = catalog.script(delivery.script_id);
    // The script of another app is as good as gone: rows come from triggers, which cannot have one, but are not bound to it.
    if (
      script === undefined ||
      script.appId !== delivery.app_id ||
      script.kind === "module" ||
      script.liveVersion === null
    ) {
      await fail(delivery, "The script is gone, is a module, or has no live version.", false);
      return;
    }
    const { user_id: userId, username } = delivery;
    try {
      const stored = delivery.source_kind === "http" ? (JSON.parse(delivery.payload) as StoredRequest) : null;
      const run: OneRun = {
        // What no run caused names its own first run as the root of all that follows, and whoever sent it was told.
        executionId:
          delivery.attempt_count === 1 && delivery.root_execution_id === delivery.id ? delivery.id : newId(),
        script,
        version: script.liveVersion,
        triggerKind: delivery.source_kind,
        principal:
          userId === null || username === null
            ? null
            : { userId, username, instanceRole: "member", key: stored === null ? null : storedKey(stored) },
        requestId: stored?.request_id ?? delivery.id,
        request: stored === null ? null : restoredRequest(stored),
        event: stored === null ? delivery.payload : null,
        rerun: null,
        trigger: {
          id: delivery.trigger_id,
          depth: delivery.trigger_depth,
          attempt: delivery.attempt_count,
          rootExecutionId: delivery.root_execution_id,
          delivery: delivery.transactional ? { id: delivery.id, attempt: delivery.attempt_count } : undefined,
        },
      };
      const make = () => runOnce(run);
      const { timeoutMs } = script.limits;
      const ended = await (
        delivery.transactional ? wholeRuns.make(delivery, timeoutMs, make) : make()
      ).finally(leave);
      if (ended === null || ended.outcome.delivery === "lost") return;
      const { outcome, statusCode } = ended;
      if (outcome.delivery === "acknowledged") {
        counts.delivered++;
        await tell(() => unblockNext(db, delivery));
      } else if (outcome.error !== null) {
        // A body that cannot be read stays so.
        await fail(delivery, outcome.error.message, outcome.error.code !== "malformed_body");
      }
      // An answer that nobody gets can still say that it did not work (CONTRACT 3.4).
      else if (stored !== null && statusCode >= 500)
        await fail(delivery, `The script answered ${statusCode}.`, true);
      else await succeed(delivery);
    } catch (error) {
      // There was no slot, or no database to read the script from.
      if (toAppError(error)?.status !== 503) throw error;
      await tell(() => giveBack(db, delivery, GATE_FULL_MS * (1 + random())));
      mustLook = true;
    }
  }

  async function succeed(delivery: Delivery): Promise<void> {
    counts.delivered++;
    await tell<unknown>(() =>
      delivery.dead_letter_id === null
        ? completions.complete(delivery)
        : completeHandler(db, delivery, false),
    );
  }

  async function fail(delivery: Delivery, message: string, isWorthRetrying: boolean): Promise<void> {
    const error = message.slice(0, MAX_ERROR).toWellFormed().replaceAll("\0", "");
    let wasHere: boolean;
    if (delivery.source_kind === "dead_letter") {
      wasHere = await tell(() => completeHandler(db, delivery, true));
    } else if (isWorthRetrying && delivery.attempt_count < delivery.retry_max_attempts) {
      const policy = { backoff: delivery.retry_backoff, baseMs: delivery.retry_base_ms };
      const waitMs = backoffMs(policy, delivery.attempt_count, random(), jitter);
      wasHere = await tell(() => postpone(db, delivery, waitMs, error));
    } else {
      wasHere = await tell(() => bury(db, delivery, error));
      if (wasHere) counts.deadLettered++;
    }
    if (wasHere || !delivery.transactional) counts.failed++;
    // The transaction of a run that was given up, or whose answer was lost, may have ended its delivery all the same.
    else await tell(() => unblockNext(db, delivery));
    mustLook = true;
  }

  return {
    async start() {
      const released = await releaseClaims(db, owner);
      if (released > 0)
        logger("dispatcher").info("{released} deliveries were cut off, and are tried again", { released });
      await unblockAll(db);
      stopped = false;
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
      // Another process goes on with them at once.
      if ((await releaseClaims(db, owner)) > 0) await announceEvents(db);
    },
  };
}
