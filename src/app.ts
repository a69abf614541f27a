import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "./config.ts";
import { openDataDirectory } from "./data-directory.ts";
import { connect, type Database } from "./database/client.ts";
import { startEmbedded, type EmbeddedPostgres } from "./database/embedded/index.ts";
import { isConnectionError } from "./database/errors.ts";
import { campaign, SOLE } from "./database/leader.ts";
import { listen } from "./database/listen.ts";
import { migrate, schemaVersion } from "./database/migrator.ts";
import { statementsSent } from "./database/statements.ts";
import { urlTarget, type ConnectionTarget } from "./database/target.ts";
import { createExecutor } from "./executor/index.ts";
import { listenHttp } from "./http-server.ts";
import { serveDashboard } from "./manager/dashboard/assets.ts";
import { createManager } from "./manager/index.ts";
import { createDispatcher, createOrchestrator, createScheduler } from "./orchestrator/index.ts";
import { createCatalog, readSource } from "./services/catalog/index.ts";
import { createIndexBuilder } from "./services/docs/index.ts";
import { deadLetterFigures, droppedFigures, outboxFigures } from "./services/events/index.ts";
import { createExecutionLog } from "./services/executions/index.ts";
import { createIdempotency } from "./services/idempotency/index.ts";
import { bootstrap, createIdentity, type AppCapability, type Identity } from "./services/identity/index.ts";
import { createMetrics } from "./services/metrics/index.ts";
import { afterRows, createHousekeeping, EXECUTIONS, retentionTasks } from "./services/retention/index.ts";
import { checkKeys, createKeyring } from "./services/secrets/index.ts";
import { createExpiry } from "./services/kv/index.ts";
import { systemClock } from "./shared/clock.ts";
import { AppError } from "./shared/errors.ts";
import { logger } from "./shared/log.ts";
import type { Principal } from "./shared/principal.ts";
import { VERSIONS } from "./shared/version.ts";
import { writeFileWhole } from "./shared/whole-file.ts";

/** A running PiCloud: all three roles in one process. */
export interface App {
  /** Where it answers, from this machine. */
  readonly url: string;
  /** The owner made at the first start, when its password was made here too. To be shown once. */
  readonly firstLogin: { readonly username: string; readonly password: string } | null;
  /** Stops accepting, lets running executions end (at most 25 s), and takes everything down in order. */
  stop(): Promise<void>;
}

/** Rows of the execution log after which the daily sweep is brought forward. */
const SWEEP_AFTER_ROWS = 5000;

/** What running executions get to finish in when PiCloud is asked to stop. */
const GRACE_MS = 25_000;

/**
 * Takes everything up in order: lock, address, database, schema, catalog, roles. What was taken up is taken down again
 * when a later step fails.
 * @param onProgress told each step, in words for a terminal
 * @throws AppError when the start is refused: `data_directory_in_use`, `address_in_use`, `schema_too_new`, …
 */
export async function startApp(config: Config, onProgress: (text: string) => void): Promise<App> {
  const undo: (() => Promise<void> | void)[] = [];
  const stop = async (): Promise<void> => {
    // One step that fails must not keep the others from happening: Postgres would be left running.
    for (const step of undo.splice(0).toReversed()) {
      try {
        await step();
      } catch (error) {
        logger().error("while stopping: {error}", { error });
      }
    }
  };
  try {
    return await takeUp(config, onProgress, undo, stop);
  } catch (error) {
    await stop();
    throw error;
  }
}

async function takeUp(
  config: Config,
  onProgress: (text: string) => void,
  undo: (() => Promise<void> | void)[],
  stop: () => Promise<void>,
): Promise<App> {
  const directory = await openDataDirectory(config.dataDir, config.secretKey);
  undo.push(() => directory.close());
  // Before the database, so that a busy port is told at once and probes get an answer while Postgres starts.
  const http = listenHttp(config);
  undo.push(() => http.stop(0));

  const target = await takeUpDatabase(config, onProgress, undo);
  // Until there is something to read again.
  let readAgain = (): void => {};
  const db = connect(target, {
    max: 8,
    applicationName: "picloud",
    idleTimeoutSeconds: 10,
    // What was under way may have been committed though nobody heard of it.
    onLost: () => readAgain(),
  });
  undo.push(() => db.end({ timeout: 5 }));
  await whenReachable(() => migrate(db), onProgress);
  const keyring = createKeyring(directory.secretKey, config.oldSecretKeys);
  await checkKeys(db, keyring);
  const firstLoginFile = join(config.dataDir, "first-login.txt");
  const firstLogin = await bootstrap(db, config.admin, (login) =>
    writeFileWhole(firstLoginFile, `${login.username}\n${login.password}\n`, { mode: 0o600, durable: true }),
  );

  const clock = systemClock;
  const catalog = createCatalog(db, config);
  const housekeeping = createHousekeeping(db, { clock, tasks: retentionTasks(config) });
  undo.push(() => housekeeping.stop());
  const executions = createExecutionLog(db, {
    clock,
    onWritten: afterRows(SWEEP_AFTER_ROWS, () => housekeeping.nudge(EXECUTIONS)),
  });
  undo.push(() => executions.stop());
  const expiry = createExpiry(db, clock);
  undo.push(() => expiry.stop());
  const indexes = createIndexBuilder(db);
  undo.push(() => indexes.stop());
  const executor = createExecutor({
    maxConcurrent: config.maxConcurrentExecutions,
    cacheSize: config.scriptCacheSize,
    database: target,
    onExpiry: expiry.expires,
    onIndexes: indexes.changed,
    onEvents: () => dispatcher.wake(),
    loadSource: (appId, scriptId, version) => readSource(db, appId, scriptId, version),
  });
  undo.push(() => executor.stop(0));
  const identity = createIdentity({
    db,
    clock,
    secretKey: directory.secretKey,
    keyring,
    sessionTtlHours: config.sessionTtlHours,
    trustedProxies: config.trustedProxies,
  });
  const metrics = createMetrics({
    token: config.metricsToken,
    addressOf: identity.addressOf,
    slots: config.maxConcurrentExecutions,
    events: {
      counts: () => dispatcher.stats(),
      leads: () => leadership.leads(),
      waiting: async () => {
        const [outbox, deadLetters, dropped] = await Promise.all([
          outboxFigures(db),
          deadLetterFigures(db),
          droppedFigures(db),
        ]);
        return { ...outbox, deadLetters, dropped };
      },
      cronLagMs: () => scheduler.stats().lagMs,
    },
    stats: () => orchestrator.stats(),
    unlogged: executions.dropped,
    statements: statementsSent,
    streams: () => manager.streams(),
    requests: http.requests,
    namesOf(scriptId) {
      const script = catalog.script(scriptId);
      const app = script === undefined ? undefined : catalog.app(script.appId);
      return script === undefined || app === undefined ? undefined : { app: app.slug, script: script.name };
    },
  });
  const orchestrator = createOrchestrator({
    db,
    onAccepted: () => dispatcher.wake(),
    catalog,
    executor,
    executions,
    idempotency: createIdempotency(db),
    keyring,
    config,
    clock,
    // Basic users on a route are the script's own affair; on /api/v1/execute they are ours (CONTRACT 0.14).
    authenticate: (request, peer, { direct }) =>
      identity.principalOf(request.headers, identity.addressOf(request.headers, peer), { basic: direct }),
    observe: (run) => {
      metrics.observe(run);
      http.touched();
    },
    mayExecute: (principal, appId) => may(identity, principal, "AppRead", appId),
    mayReadLogs: (principal, appId) => may(identity, principal, "AppLogRead", appId),
  });
  const queue = connect(target, {
    max: 3,
    applicationName: "picloud-events",
    idleTimeoutSeconds: 10,
    keepsPlans: true,
  });
  undo.push(() => queue.end({ timeout: 5 }));
  const dispatcher = createDispatcher({
    db: queue,
    catalog,
    runOnce: orchestrator.runOnce,
    owner: directory.instanceId,
    maxConcurrent: config.maxConcurrentExecutions,
    maxDepth: config.maxTriggerDepth,
    jitter: config.triggerRetryJitter,
  });
  // Who has the database alone needs no connection to tell.
  const leadership =
    config.databaseUrl === null
      ? SOLE
      : campaign(target, {
          applicationName: "picloud-leader",
          onChange() {
            scheduler.wake();
            if (!leadership.leads()) return;
            // What the process before it had yet to do.
            expiry.expires(clock.now());
            indexes.changed();
          },
        });
  undo.push(() => leadership.close());
  const scheduler = createScheduler({ db, clock, onEvents: dispatcher.wake, leads: leadership.leads });
  undo.push(() => scheduler.stop());
  const manager = await createManager({
    db,
    config,
    identity,
    checkScript: executor.check,
    invokeVersion: orchestrator.invoke,
    runScript: orchestrator.runOnce,
    executions,
    keyring,
    data: {
      expires: expiry.expires,
      indexesChanged: indexes.changed,
      eventsCaused: () => dispatcher.wake(),
      cronChanged: scheduler.wake,
    },
    catalogChanged: catalog.refresh,
    resolveHost(host) {
      const { app, claimed, params } = catalog.resolveApp(host);
      return { appId: app?.id ?? null, claimed, params };
    },
    routeOf: catalog.route,
    sdkReference: async () => (await import("./executor/sdk/reference/index.ts")).sdkReference(),
    onPasswordChanged: () => rm(firstLoginFile, { force: true }),
  });
  readAgain = () => {
    void catalog.reload();
    dispatcher.wake();
    scheduler.wake();
  };
  if (config.databaseUrl !== null) {
    // Others may work on that database too. Our own is ours alone, and tells us nothing that we do not know: there an
    // open connection would only cost wake-ups (Bun looks after each open socket once a second).
    const listener = await listen(target, {
      applicationName: "picloud-listen",
      channels: {
        picloud_catalog: catalog.onNotify,
        picloud_outbox: dispatcher.wake,
        picloud_cron: scheduler.wake,
      },
      onReconnect: () => readAgain(),
    });
    undo.push(() => listener.close());
  }
  await catalog.load();
  await housekeeping.start();
  await expiry.start();
  indexes.start();
  await dispatcher.start();
  await scheduler.start();

  http.open({
    manager: manager.handle,
    orchestrator: orchestrator.handle,
    metrics: metrics.handle,
    dashboard: serveDashboard,
    ready: () => reachable(db),
    version: () => ({ ...VERSIONS, schema: schemaVersion, public_base_url: config.publicBaseUrl }),
  });
  undo.push(async () => {
    // New requests are refused from here on; those under way get their time. Streams would never end by themselves.
    manager.stop();
    await scheduler.stop();
    // Another process goes on with schedules while this one still ends its runs.
    await leadership.close();
    await Promise.all([http.stop(GRACE_MS), dispatcher.stop(GRACE_MS), orchestrator.drain(GRACE_MS)]);
  });
  return { url: http.url, firstLogin, stop };
}

/** The configured database, or our own. */
async function takeUpDatabase(
  config: Config,
  onProgress: (text: string) => void,
  undo: (() => Promise<void> | void)[],
): Promise<ConnectionTarget> {
  if (config.databaseUrl !== null) return urlTarget(config.databaseUrl);
  const embedded: EmbeddedPostgres = await startEmbedded({ dataDir: config.dataDir, onProgress });
  undo.push(() => embedded.stop());
  return embedded.target;
}

/** Waits for a database that is not up yet, longer each time: a machine that boots starts both at once. */
async function whenReachable(
  work: () => Promise<unknown>,
  onProgress: (text: string) => void,
): Promise<void> {
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 10_000)) {
    try {
      await work();
      return;
    } catch (error) {
      if (!isConnectionError(error)) throw error;
      onProgress(`The database is not reachable; trying again in ${waitMs / 1000} s`);
      await Bun.sleep(waitMs);
    }
  }
}

/** Asks the database, with little patience. */
async function reachable(db: Database): Promise<boolean> {
  const asked = db`select 1`.then(
    () => true,
    () => false,
  );
  return Promise.race([asked, Bun.sleep(2000).then(() => false)]);
}

/** Whether a caller has a capability in an app; a refusal is an answer here, not an error. */
async function may(identity: Identity, who: Principal, what: AppCapability, appId: string): Promise<boolean> {
  try {
    await identity.authorize(who, what, appId);
    return true;
  } catch (error) {
    if (error instanceof AppError && error.status < 500) return false;
    throw error;
  }
}
