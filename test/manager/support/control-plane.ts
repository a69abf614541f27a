import { loadConfig, type Config } from "../../../src/config.ts";
import { createExecutor } from "../../../src/executor/index.ts";
import { sdkReference } from "../../../src/executor/sdk/reference/index.ts";
import {
  createManager,
  type CheckScript,
  type Manager,
  type ManagerDeps,
} from "../../../src/manager/index.ts";
import { createOrchestrator } from "../../../src/orchestrator/index.ts";
import { NO_LINKS, createCatalog, readSource, type Catalog } from "../../../src/services/catalog/index.ts";
import { createExecutionLog, type ExecutionLog } from "../../../src/services/executions/index.ts";
import { createIdempotency } from "../../../src/services/idempotency/index.ts";
import { createIdentity, hashPassword, type Identity } from "../../../src/services/identity/index.ts";
import { createKeyring } from "../../../src/services/secrets/index.ts";
import { parse } from "../../../src/rhai/syntax/parser.ts";
import { AppError } from "../../../src/shared/errors.ts";
import {
  SCOPES,
  type AppRole,
  type InstanceRole,
  type Principal,
  type Scope,
} from "../../../src/shared/principal.ts";
import { checkDocumented } from "./documented.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

/**
 * Who asks. The roles of `viewer`, `editor` and `appAdmin` are those in the app `blog`; `outsider` is in no app.
 * `deactivated` was an owner, and still has the token of a session. With API keys: `readKey` is appAdmin's, for reading
 * only; the others are owner's: `fullKey` has every scope and no binding, `boundKey` every scope of an app and is bound
 * to `blog`, `otherBoundKey` likewise to `default`, so that it never sees `blog`; `expiredKey` was a `fullKey`.
 */
export const ACTORS = [
  "guest",
  "wrong",
  "owner",
  "admin",
  "outsider",
  "viewer",
  "editor",
  "appAdmin",
  "deactivated",
  "readKey",
  "fullKey",
  "boundKey",
  "otherBoundKey",
  "expiredKey",
] as const;
export type Actor = (typeof ACTORS)[number];

export const PASSWORD = "correct horse battery";

/** Seals the secrets of apps. */
export const KEYRING = createKeyring(new Uint8Array(32).fill(9));

/** Time that stands still until it is moved. */
export class TestClock {
  ms = Date.parse("2030-01-01T00:00:00Z");
  now = (): number => this.ms;
  monotonic = (): number => this.ms;
  advance(ms: number): void {
    this.ms += ms;
  }
}

// An answer may be of any shape; which one it must be is what the tests say.
// oxlint-disable-next-line typescript/no-explicit-any
export type Json = any;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The parsed JSON; undefined when it is none. */
  readonly json: Json;
}

export interface CallOptions {
  readonly body?: unknown;
  /** Sent as it is. */
  readonly raw?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly headers?: Record<string, string>;
  readonly address?: string;
}

export interface ControlPlane {
  readonly db: TestDatabase["db"];
  readonly target: TestDatabase["target"];
  readonly config: Config;
  readonly clock: TestClock;
  readonly identity: Identity;
  readonly manager: Manager;
  readonly catalog: Catalog;
  readonly executions: ExecutionLog;
  /** User ids of the actors that are users. */
  readonly users: Readonly<Record<string, string>>;
  /** The texts of the actors that are API keys. */
  readonly keys: Readonly<Partial<Record<Actor, string>>>;
  /** The app with members. */
  readonly blog: string;
  /** Apps of which the data plane was told, in order. */
  readonly told: string[];
  /** Users of whose passwords' change was told. */
  readonly passwordChanges: string[];
  /**
   * Asks, and compares the answer with the OpenAPI document.
   * @param path below /api/v1/admin
   */
  call(actor: Actor, method: string, path: string, options?: CallOptions): Promise<Answer>;
  stop(): Promise<void>;
}

export interface Setup {
  readonly environment?: Record<string, string>;
  /** Default: as far as the parser does. `compiler`: as a running PiCloud does. */
  readonly checkScript?: CheckScript | "compiler";
  readonly requestTimeoutMs?: number;
  readonly heartbeatMs?: number;
  readonly data?: ManagerDeps["data"];
}

/** A control plane over a database of its own, with one user per actor. */
export async function startControlPlane(setup: Setup = {}): Promise<ControlPlane> {
  const { db, target, drop } = await testDatabase();
  const config = loadConfig({}, setup.environment ?? {}, false);
  const clock = new TestClock();
  const identity = createIdentity({
    db,
    clock,
    secretKey: new Uint8Array(32).fill(7),
    sessionTtlHours: config.sessionTtlHours,
    trustedProxies: config.trustedProxies,
  });
  const catalog = createCatalog(db, config);
  // Starts no worker before somebody runs something.
  const executor = createExecutor({
    maxConcurrent: 4,
    cacheSize: 16,
    database: target,
    loadSource: (appId, scriptId, version) => readSource(db, appId, scriptId, version),
  });
  const executions = createExecutionLog(db, { clock });
  const may = (what: "AppRead" | "AppLogRead") => (who: Principal, appId: string) =>
    identity.authorize(who, what, appId).then(
      () => true,
      (error: unknown) => {
        if (error instanceof AppError && error.status < 500) return false;
        throw error;
      },
    );
  const orchestrator = createOrchestrator({
    db,
    catalog,
    executor,
    executions,
    idempotency: createIdempotency(db),
    keyring: KEYRING,
    config,
    clock,
    authenticate: (request, peer, { direct }) =>
      identity.principalOf(request.headers, identity.addressOf(request.headers, peer), { basic: direct }),
    mayExecute: may("AppRead"),
    mayReadLogs: may("AppLogRead"),
  });
  const told: string[] = [];
  const passwordChanges: string[] = [];
  const manager = await createManager({
    db,
    config,
    identity,
    checkScript: setup.checkScript === "compiler" ? executor.check : (setup.checkScript ?? checkByParser),
    invokeVersion: orchestrator.invoke,
    runScript: orchestrator.runOnce,
    executions,
    keyring: KEYRING,
    ...(setup.requestTimeoutMs !== undefined && { requestTimeoutMs: setup.requestTimeoutMs }),
    ...(setup.heartbeatMs !== undefined && { heartbeatMs: setup.heartbeatMs }),
    ...(setup.data !== undefined && { data: setup.data }),
    catalogChanged: async (appId) => {
      told.push(appId);
      await catalog.refresh(appId);
    },
    resolveHost(host) {
      const { app, claimed, params } = catalog.resolveApp(host);
      return { appId: app?.id ?? null, claimed, params };
    },
    routeOf: catalog.route,
    sdkReference: async () => sdkReference(),
    onPasswordChanged: async (user) => void passwordChanges.push(user.username),
  });
  await catalog.load();
  const { users, blog } = await populate(db);
  const keys = await makeKeys(db, identity, users, blog);
  const { token: oldToken } = await identity.login(
    { username: "deactivated", password: PASSWORD },
    "10.9.9.9",
  );
  await db`update users set is_active = false where username = 'deactivated'`;
  const tokens = new Map<Actor, { readonly token: string; readonly since: number }>();

  const credential = async (actor: Actor): Promise<string | null> => {
    if (actor === "guest") return null;
    if (actor === "wrong") return `Basic ${btoa("nobody:wrong password")}`;
    if (keys[actor] !== undefined) return `Bearer ${keys[actor]}`;
    if (actor === "deactivated") return `Bearer ${oldToken}`;
    const known = tokens.get(actor);
    // A test may have moved the clock past the session's end.
    if (known !== undefined && clock.now() - known.since < 3_600_000) return `Bearer ${known.token}`;
    const { token } = await identity.login({ username: actor, password: PASSWORD }, "10.9.9.9");
    tokens.set(actor, { token, since: clock.now() });
    return `Bearer ${token}`;
  };

  let wrongAddresses = 0;
  return {
    db,
    target,
    config,
    clock,
    identity,
    manager,
    catalog,
    executions,
    users,
    keys,
    blog,
    told,
    passwordChanges,
    async call(actor, method, path, options = {}) {
      const headers = new Headers(options.headers);
      const authorization = await credential(actor);
      if (authorization !== null && !headers.has("authorization"))
        headers.set("authorization", authorization);
      if (options.body !== undefined && !headers.has("content-type"))
        headers.set("content-type", "application/json");
      const body = options.raw ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
      const request = new Request(`http://pi:8080/api/v1/admin${path}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
      });
      // So that one test's wrong passwords do not throttle another's.
      const fallback =
        actor === "wrong" ? `10.1.${wrongAddresses >> 8}.${wrongAddresses++ & 255}` : "10.0.0.1";
      const answer = await manager.handle(request, { remoteAddress: options.address ?? fallback });
      const text = await textOf(answer);
      const read = { status: answer.status, headers: answer.headers, text, json: parsed(text) };
      checkDocumented(method, path, read);
      return read;
    },
    async stop() {
      await executor.stop(0);
      await executions.stop();
      await drop();
    },
  };
}

/** Compiles as far as the parser does. */
export const checkByParser: CheckScript = async (_appId, source) => {
  const result = parse(source);
  return { diagnostics: result.ok ? [] : result.diagnostics, links: NO_LINKS };
};

async function populate(db: TestDatabase["db"]) {
  const hash = await hashPassword(PASSWORD);
  const users: Record<string, string> = {};
  const blog = Bun.randomUUIDv7();
  await db`insert into apps (id, slug, name) values (${blog}, 'blog', 'Blog')`;
  const people: readonly (readonly [Actor, InstanceRole, AppRole | null])[] = [
    ["owner", "owner", null],
    ["admin", "admin", null],
    ["outsider", "member", null],
    ["viewer", "member", "viewer"],
    ["editor", "member", "editor"],
    ["appAdmin", "member", "app_admin"],
    ["deactivated", "owner", null],
  ];
  for (const [name, role, appRole] of people) {
    const id = Bun.randomUUIDv7();
    users[name] = id;
    await db`insert into users (id, username, password_hash, instance_role, email)
      values (${id}, ${name}, ${hash}, ${role}, ${`${name}@example.com`})`;
    if (appRole !== null)
      await db`insert into app_members (app_id, user_id, role) values (${blog}, ${id}, ${appRole})`;
  }
  return { users, blog };
}

async function makeKeys(
  db: TestDatabase["db"],
  identity: Identity,
  users: Readonly<Record<string, string>>,
  blog: string,
): Promise<Partial<Record<Actor, string>>> {
  const [standard] = await db<{ id: string }[]>`select id from apps where slug = 'default'`;
  const ofApps = SCOPES.filter((scope) => scope !== "instance:admin");
  const make = async (
    name: Actor,
    user: "owner" | "appAdmin",
    scopes: readonly Scope[],
    appId: string | null,
  ) => {
    const who = {
      userId: users[user] ?? "",
      username: user,
      instanceRole: user === "owner" ? "owner" : "member",
      key: null,
      requestId: null,
      address: null,
    } as const;
    return (await identity.keys.create(who, { name, scopes, appId, expiresAt: null })).text;
  };
  const keys = {
    readKey: await make("readKey", "appAdmin", ["script:read", "log:read"], null),
    fullKey: await make("fullKey", "owner", SCOPES, null),
    boundKey: await make("boundKey", "owner", ofApps, blog),
    otherBoundKey: await make("otherBoundKey", "owner", ofApps, standard?.id ?? ""),
    expiredKey: await make("expiredKey", "owner", SCOPES, null),
  };
  await db`update api_keys set expires_at = '2029-12-31T23:59:59Z' where name = 'expiredKey'`;
  return keys;
}

/** All of an answer; of a stream of events, which has no end, what comes first. */
async function textOf(answer: Response): Promise<string> {
  if (answer.headers.get("content-type") !== "text/event-stream") return answer.text();
  const reader = answer.body?.getReader();
  const first = await reader?.read();
  await reader?.cancel();
  return new TextDecoder().decode(first?.value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
