import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { AppError } from "./shared/errors.ts";
import { DEFAULT_CEILINGS, DEFAULT_LIMITS, type RunLimits } from "./shared/limits.ts";
import type { LogFormat } from "./shared/log.ts";

/** Everything an operator can set. Made once by `loadConfig`, frozen, and handed down. */
export interface Config {
  readonly listen: { readonly hostname: string; readonly port: number };
  /** Absolute. */
  readonly dataDir: string;
  /** Null: PiCloud runs its own Postgres in the data directory. */
  readonly databaseUrl: string | null;
  readonly admin: { readonly username: string; readonly password: string } | null;
  /** 32 bytes, or null: made on first start and kept in the data directory. */
  readonly secretKey: Uint8Array | null;
  /** What it was before, so that what was sealed then can still be opened. */
  readonly oldSecretKeys: readonly Uint8Array[];
  readonly secretMaxValueBytes: number;
  readonly sessionTtlHours: number;
  readonly maxConcurrentExecutions: number;
  /** Runs that events may cause one below the other. */
  readonly maxTriggerDepth: number;
  /** What a new trigger gets that does not say, and what holds for requests of asynchronous routes. */
  readonly triggerRetry: {
    readonly maxAttempts: number;
    readonly backoff: "exponential" | "linear" | "constant";
    readonly baseMs: number;
  };
  /** By how much of itself a wait before another attempt differs at most, either way; from 0 to 1. */
  readonly triggerRetryJitter: number;
  /** Days. */
  readonly deadLetterRetentionDays: number;
  readonly maxBodyBytes: number;
  readonly scriptCacheSize: number;
  /** Days; an app may have a setting of its own. */
  readonly executionLogRetentionDays: number;
  readonly executionLogMaxPerScript: number;
  /** Slug of the app that answers for hosts nobody claims; null: such hosts get 404. */
  readonly fallbackApp: string | null;
  readonly publicBaseUrl: string;
  readonly trustedProxies: readonly string[];
  /** What a scrape of /metrics must show as a bearer token; null: only this machine may ask. */
  readonly metricsToken: string | null;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly limits: RunLimits;
  readonly ceilings: RunLimits;
  /** What was odd but not fatal: unknown names, ignored values. To be logged once at start. */
  readonly warnings: readonly string[];
}

export type LogLevel = (typeof LOG_LEVELS)[number];
const LOG_LEVELS = ["trace", "debug", "info", "warning", "error", "fatal"] as const;

/** Flags of `picloud serve`; each wins over its environment variable. */
export interface Flags {
  readonly listen?: string;
  readonly dataDir?: string;
  readonly databaseUrl?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const MiB = 1024 * 1024;

/** Names that are read elsewhere (client side of the binary) or kept for compatibility. */
const OTHER_NAMES = ["PICLOUD_URL", "PICLOUD_TOKEN", "PICLOUD_API"];
const IGNORED_NAMES: Readonly<Record<string, string>> = {
  PICLOUD_CRON_TICK_INTERVAL_MS: "nothing polls: cron jobs fire when they are due",
};

/**
 * Reads flags and environment into a Config.
 * @throws AppError `invalid_configuration` that names the variable, its value's fault and what is accepted.
 */
export function loadConfig(
  flags: Flags = {},
  environment: Environment = process.env,
  terminal: boolean = process.stderr.isTTY === true,
): Config {
  const warnings: string[] = [];
  const known = new Set<string>(OTHER_NAMES);

  const read = (name: string): string | undefined => {
    known.add(name).add(`${name}_FILE`);
    const file = environment[`${name}_FILE`];
    if (environment[name] !== undefined) return environment[name];
    if (file === undefined) return undefined;
    try {
      return readFileSync(file, "utf8").trim();
    } catch (cause) {
      throw wrong(`${name}_FILE`, `cannot read ${file}`, cause);
    }
  };
  const integer = (name: string, fallback: number, min: number, max = Number.MAX_SAFE_INTEGER): number => {
    const text = read(name);
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw wrong(name, `"${text}" is not a whole number from ${min} to ${max}`);
    }
    return value;
  };
  const choice = <T extends string>(name: string, fallback: T, allowed: readonly T[]): T => {
    const text = read(name);
    if (text === undefined || text === "") return fallback;
    const value = allowed.find((option) => option === text);
    if (value === undefined) throw wrong(name, `"${text}" is not one of ${allowed.join(", ")}`);
    return value;
  };
  /** A ceiling that cannot be read is warned about and skipped, as in the original. */
  const ceiling = (name: string, fallback: number, unit = 1): number => {
    const text = read(name);
    if (text === undefined || text === "") return fallback;
    const value = Number(text);
    if (Number.isSafeInteger(value) && value > 0) return value * unit;
    warnings.push(`${name}: "${text}" is not a whole number above 0; using ${fallback / unit}`);
    return fallback;
  };

  const listen = parseListen(
    flags.listen ?? read("PICLOUD_LISTEN") ?? read("PICLOUD_BIND") ?? "0.0.0.0:8080",
  );
  read("PICLOUD_BIND");
  const databaseUrl = flags.databaseUrl ?? read("DATABASE_URL");
  const ceilings: RunLimits = {
    maxOperations: ceiling("PICLOUD_SANDBOX_MAX_OPERATIONS", DEFAULT_CEILINGS.maxOperations),
    maxStringSize: ceiling("PICLOUD_SANDBOX_MAX_STRING_SIZE", DEFAULT_CEILINGS.maxStringSize),
    maxArraySize: ceiling("PICLOUD_SANDBOX_MAX_ARRAY_SIZE", DEFAULT_CEILINGS.maxArraySize),
    maxMapSize: ceiling("PICLOUD_SANDBOX_MAX_MAP_SIZE", DEFAULT_CEILINGS.maxMapSize),
    maxCallLevels: ceiling("PICLOUD_SANDBOX_MAX_CALL_LEVELS", DEFAULT_CEILINGS.maxCallLevels),
    maxExprDepth: ceiling("PICLOUD_SANDBOX_MAX_EXPR_DEPTH", DEFAULT_CEILINGS.maxExprDepth),
    maxSdkCalls: ceiling("PICLOUD_SANDBOX_MAX_SDK_CALLS", DEFAULT_CEILINGS.maxSdkCalls),
    timeoutMs: ceiling("PICLOUD_SANDBOX_MAX_TIMEOUT_SECONDS", DEFAULT_CEILINGS.timeoutMs, 1000),
    memoryBytes: ceiling("PICLOUD_SANDBOX_MAX_MEMORY_MB", DEFAULT_CEILINGS.memoryBytes, MiB),
  };
  const fallbackApp = read("PICLOUD_FALLBACK_APP") ?? "default";

  const config: Config = {
    listen,
    dataDir: resolve(flags.dataDir ?? read("PICLOUD_DATA_DIR") ?? defaultDataDir(environment)),
    databaseUrl: databaseUrl === undefined || databaseUrl === "" ? null : checkDatabaseUrl(databaseUrl),
    admin: readAdmin(read("PICLOUD_ADMIN_USERNAME"), read("PICLOUD_ADMIN_PASSWORD")),
    secretKey: readSecretKey("PICLOUD_SECRET_KEY", read("PICLOUD_SECRET_KEY")),
    oldSecretKeys: (read("PICLOUD_SECRET_KEYS_OLD") ?? "")
      .split(",")
      .map((text) => readSecretKey("PICLOUD_SECRET_KEYS_OLD", text.trim()))
      .filter((key) => key !== null),
    secretMaxValueBytes: integer("PICLOUD_SECRET_MAX_VALUE_BYTES", 64 * 1024, 1, MiB),
    sessionTtlHours: integer("PICLOUD_SESSION_TTL_HOURS", 24, 1, 24 * 365),
    maxTriggerDepth: integer("PICLOUD_MAX_TRIGGER_DEPTH", 8, 1, 64),
    triggerRetry: {
      maxAttempts: integer("PICLOUD_TRIGGER_RETRY_MAX_ATTEMPTS", 3, 1, 100),
      backoff: choice("PICLOUD_TRIGGER_RETRY_BACKOFF", "exponential", ["exponential", "linear", "constant"]),
      baseMs: integer("PICLOUD_TRIGGER_RETRY_BASE_MS", 1000, 1, 3_600_000),
    },
    triggerRetryJitter: integer("PICLOUD_TRIGGER_RETRY_JITTER_PCT", 20, 0, 100) / 100,
    deadLetterRetentionDays: integer("PICLOUD_DEAD_LETTER_RETENTION_DAYS", 30, 1, 3650),
    maxConcurrentExecutions: integer("PICLOUD_MAX_CONCURRENT_EXECUTIONS", 32, 1, 1024),
    maxBodyBytes: integer("PICLOUD_MAX_BODY_BYTES", 2 * MiB, 1024, 1024 * MiB),
    scriptCacheSize: integer("PICLOUD_SCRIPT_CACHE_SIZE", 256, 1, 100_000),
    executionLogRetentionDays: integer("PICLOUD_EXECUTION_LOG_RETENTION_DAYS", 30, 1, 3650),
    executionLogMaxPerScript: integer("PICLOUD_EXECUTION_LOG_MAX_PER_SCRIPT", 10_000, 1, 100_000_000),
    fallbackApp: fallbackApp === "" ? null : fallbackApp,
    publicBaseUrl: read("PICLOUD_PUBLIC_BASE_URL") ?? "",
    trustedProxies: (read("PICLOUD_TRUSTED_PROXIES") ?? "127.0.0.1,::1")
      .split(",")
      .map((text) => text.trim()),
    metricsToken: read("PICLOUD_METRICS_TOKEN") || null,
    log: {
      level: choice("PICLOUD_LOG_LEVEL", "info", LOG_LEVELS),
      format: choice("PICLOUD_LOG_FORMAT", terminal ? "pretty" : "json", ["json", "pretty"]),
    },
    limits: lowest(DEFAULT_LIMITS, ceilings),
    ceilings,
    warnings,
  };

  for (const name of Object.keys(environment)) {
    if (!name.startsWith("PICLOUD_") || known.has(name)) continue;
    const why = IGNORED_NAMES[name];
    warnings.push(why === undefined ? `${name} is not a setting of PiCloud` : `${name} is ignored: ${why}`);
  }
  return Object.freeze(config);
}

function wrong(name: string, fault: string, cause?: unknown): AppError {
  return new AppError(500, "invalid_configuration", `${name}: ${fault}.`, { cause });
}

function parseListen(text: string): Config["listen"] {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) {
    throw wrong(
      "PICLOUD_LISTEN / --listen",
      `"${text}" is not HOST:PORT, such as 0.0.0.0:8080 or [::1]:8080`,
    );
  }
  return { hostname: match[1] ?? (match[2] || "0.0.0.0"), port };
}

function checkDatabaseUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !["postgres:", "postgresql:"].includes(url.protocol)) {
    // The value may hold a password, so it is not repeated.
    throw wrong("DATABASE_URL", "it is not of the form postgres://user:password@host:5432/database");
  }
  return text;
}

function readAdmin(username: string | undefined, password: string | undefined): Config["admin"] {
  if (!username && !password) return null;
  if (!username || !password) {
    throw wrong("PICLOUD_ADMIN_USERNAME and PICLOUD_ADMIN_PASSWORD", "set both or neither");
  }
  return { username, password };
}

function readSecretKey(name: string, text: string | undefined): Uint8Array | null {
  if (text === undefined || text === "") return null;
  const bytes = Buffer.from(text, "base64");
  if (bytes.length !== 32 || bytes.toString("base64").replace(/=+$/, "") !== text.replace(/=+$/, "")) {
    throw wrong(name, "it is not the base64 text of exactly 32 bytes (openssl rand -base64 32 makes one)");
  }
  return bytes;
}

/** A checkout keeps its data beside the code, a service in /var/lib, a person's own binary under XDG_DATA_HOME. */
function defaultDataDir(environment: Environment): string {
  if (existsSync("package.json") && existsSync("src/main.ts")) return "picloud-data";
  if (environment["INVOCATION_ID"] !== undefined) return "/var/lib/picloud";
  return join(environment["XDG_DATA_HOME"] || join(homedir(), ".local", "share"), "picloud");
}

/** Where commands keep what is nice to have next time, by the XDG rules; absolute. */
export function stateDirectory(environment: Environment = process.env): string {
  return resolve(environment["XDG_STATE_HOME"] || join(homedir(), ".local", "state"), "picloud");
}

/** What the client side of the binary is told by its environment. */
export interface ClientEnvironment {
  /** PICLOUD_URL; wins over the kept login. */
  readonly url: string | null;
  /** PICLOUD_TOKEN; wins over the kept login. */
  readonly token: string | null;
  /** Where the login is kept, by the XDG rules; absolute. */
  readonly directory: string;
}

export function clientEnvironment(environment: Environment = process.env): ClientEnvironment {
  return {
    url: environment["PICLOUD_URL"] || null,
    token: environment["PICLOUD_TOKEN"] || null,
    directory: resolve(environment["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "picloud"),
  };
}

function lowest(wanted: RunLimits, most: RunLimits): RunLimits {
  return {
    maxOperations: Math.min(wanted.maxOperations, most.maxOperations),
    maxStringSize: Math.min(wanted.maxStringSize, most.maxStringSize),
    maxArraySize: Math.min(wanted.maxArraySize, most.maxArraySize),
    maxMapSize: Math.min(wanted.maxMapSize, most.maxMapSize),
    maxCallLevels: Math.min(wanted.maxCallLevels, most.maxCallLevels),
    maxExprDepth: Math.min(wanted.maxExprDepth, most.maxExprDepth),
    maxSdkCalls: Math.min(wanted.maxSdkCalls, most.maxSdkCalls),
    timeoutMs: Math.min(wanted.timeoutMs, most.timeoutMs),
    memoryBytes: Math.min(wanted.memoryBytes, most.memoryBytes),
  };
}
