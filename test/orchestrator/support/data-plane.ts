import { createExecutor, type Executor } from "../../../src/executor/index.ts";
import { createOrchestrator, type Orchestrator } from "../../../src/orchestrator/index.ts";
import { createCatalog, readSource, type Catalog } from "../../../src/services/catalog/index.ts";
import {
  createExecutionLog,
  listLogs,
  type ExecutionLog,
  type LogDTO,
} from "../../../src/services/executions/index.ts";
import { createIdempotency } from "../../../src/services/idempotency/index.ts";
import type { RetryPolicy } from "../../../src/services/events/index.ts";
import type { RouteInput } from "../../../src/services/routes/index.ts";
import { createKeyring } from "../../../src/services/secrets/index.ts";
import { systemClock } from "../../../src/shared/clock.ts";
import { DEFAULT_CEILINGS, DEFAULT_LIMITS } from "../../../src/shared/limits.ts";
import type { Principal } from "../../../src/shared/principal.ts";
import { seed } from "../../services/seed.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

/** The data plane on a database of its own: everything real but who callers are. */
export interface DataPlane {
  readonly database: TestDatabase;
  readonly rows: ReturnType<typeof seed>;
  readonly catalog: Catalog;
  readonly executor: Executor;
  readonly executions: ExecutionLog;
  readonly orchestrator: Orchestrator;
  /** The app `default`. */
  readonly appId: string;
  /** Saves a script with a route, live at once; returns the script's id. */
  deploy(
    path: string | RouteInput,
    source: string,
    settings?: Parameters<ReturnType<typeof seed>["script"]>[3] & { readonly appId?: string },
  ): Promise<string>;
  /** A request from 127.0.0.1 to host `pi.local`, or to the host in the path. */
  call(path: string, init?: RequestInit): Promise<Response>;
  logs(scriptId: string): Promise<LogDTO[]>;
  stop(): Promise<void>;
}

/** Known by their tokens: `Bearer root-token` or cookie `picloud_session=root-token`; may do everything. */
export const ROOT: Principal = {
  userId: "00000000-0000-7000-8000-00000000000a",
  username: "root",
  instanceRole: "owner",
  key: null,
};
/** `Bearer outsider-token`: signed in, but not a member of any app. */
export const OUTSIDER: Principal = {
  userId: "00000000-0000-7000-8000-00000000000b",
  username: "out",
  instanceRole: "member",
  key: null,
};

/** Seals the secrets of apps. */
export const KEYRING = createKeyring(new Uint8Array(32).fill(9));

export async function startDataPlane(
  options: {
    readonly maxConcurrent?: number;
    readonly maxBodyBytes?: number;
    readonly fallbackApp?: string | null;
    readonly onEvents?: () => void;
    /** Another entry for worker threads. */
    readonly workerUrl?: string;
    readonly triggerRetry?: RetryPolicy;
  } = {},
): Promise<DataPlane> {
  const database = await testDatabase();
  const { db } = database;
  const rows = seed(db);
  const appId = await rows.app("default");
  const catalog = createCatalog(db, {
    fallbackApp: options.fallbackApp === undefined ? "default" : options.fallbackApp,
    limits: DEFAULT_LIMITS,
    ceilings: DEFAULT_CEILINGS,
  });
  await catalog.load();
  const maxConcurrentExecutions = options.maxConcurrent ?? 32;
  const executor = createExecutor({
    maxConcurrent: maxConcurrentExecutions,
    cacheSize: 16,
    database: database.target,
    ...(options.onEvents !== undefined && { onEvents: options.onEvents }),
    ...(options.workerUrl !== undefined && { workerUrl: options.workerUrl }),
    loadSource: (app, script, version) => readSource(db, app, script, version),
  });
  const executions = createExecutionLog(db, { clock: systemClock });
  const orchestrator = createOrchestrator({
    db,
    ...(options.onEvents !== undefined && { onAccepted: options.onEvents }),
    catalog,
    executor,
    executions,
    idempotency: createIdempotency(db),
    keyring: KEYRING,
    config: {
      maxBodyBytes: options.maxBodyBytes ?? 64 * 1024,
      maxConcurrentExecutions,
      triggerRetry: options.triggerRetry ?? { maxAttempts: 3, backoff: "exponential", baseMs: 1000 },
      trustedProxies: ["127.0.0.1"],
    },
    clock: systemClock,
    authenticate: (request) => Promise.resolve(principalOf(request.headers)),
    mayExecute: (principal) => principal === ROOT,
    mayReadLogs: (principal) => principal === ROOT,
  });
  let scripts = 0;
  return {
    database,
    rows,
    catalog,
    executor,
    executions,
    orchestrator,
    appId,
    async deploy(path, source, settings = {}) {
      const app = settings.appId ?? appId;
      const script = await rows.script(app, `script-${++scripts}`, source, settings);
      await rows.route(app, script, path);
      await catalog.refresh(app);
      return script;
    },
    call(path, init) {
      const url = path.startsWith("/") ? `http://pi.local:8080${path}` : `http://${path}`;
      return orchestrator.handle(new Request(url, init), { remoteAddress: "127.0.0.1" });
    },
    async logs(scriptId) {
      await executions.flush();
      const [row] = await db<{ app_id: string }[]>`select app_id from scripts where id = ${scriptId}`;
      return listLogs(db, row?.app_id ?? appId, scriptId, {});
    },
    async stop() {
      await orchestrator.drain(1000);
      await executor.stop(0);
      await executions.stop();
      await database.drop();
    },
  };
}

function principalOf(headers: Headers): Principal | null {
  const token = /^Bearer (.*)$/.exec(headers.get("authorization") ?? "")?.[1];
  const cookie = /picloud_session=([^;]*)/.exec(headers.get("cookie") ?? "")?.[1];
  for (const credential of [token, cookie]) {
    if (credential === "root-token") return ROOT;
    if (credential === "outsider-token") return OUTSIDER;
    if (credential === "broken-token") throw new Error("the database is away");
  }
  return null;
}
