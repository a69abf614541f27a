import type { RateLimit } from "../routes/index.ts";

/** What an app's admins may set (CONTRACT Q37). */
export interface AppSettings {
  /** Origins whose pages may read answers of the app's routes: `https://example.com`, or `*` for all. */
  readonly corsOrigins: readonly string[];
  /** Whether anybody sees what a script threw, and not only those who may read the log. */
  readonly exposeErrors: boolean;
  /** The app's share of the runs when there are more than fit: twice the weight, twice as many. */
  readonly weight: number;
  /** Runs of the app at a time; null: as many as the instance has slots. */
  readonly maxConcurrent: number | null;
  /** Requests of the app that may wait for a slot. */
  readonly maxQueued: number;
  /** Of all the app's routes together, beside their own; null: none. */
  readonly rateLimit: RateLimit | null;
  /** Bytes that the app's data may take; null: no limit. */
  readonly quotaBytes: number | null;
  /** How long executions stay in the log; null: as long as the instance says. */
  readonly logRetentionDays: number | null;
  /** `host:port` that scripts may reach although the instance's rules forbid it. */
  readonly outboundAllow: readonly string[];
}

export const DEFAULT_APP_SETTINGS: AppSettings = Object.freeze({
  corsOrigins: [],
  exposeErrors: false,
  weight: 1,
  maxConcurrent: null,
  maxQueued: 100,
  rateLimit: null,
  quotaBytes: null,
  logRetentionDays: null,
  outboundAllow: [],
});

/** `apps.settings`: what is not the default, by the names of the API. What is in it was checked when it was saved. */
export type StoredAppSettings = Readonly<
  Partial<{
    cors_origins: readonly string[];
    expose_errors: boolean;
    weight: number;
    max_concurrent: number | null;
    max_queued: number;
    rate_limit: { readonly requests: number; readonly window_seconds: number; readonly key: string } | null;
    quota_bytes: number | null;
    log_retention_days: number | null;
    outbound_allow: readonly string[];
  }>
>;

/** The settings of an app, defaults in place of what is not stored. */
export function appSettings(stored: StoredAppSettings): AppSettings {
  const { rate_limit: limit = null } = stored;
  return {
    corsOrigins: stored.cors_origins ?? DEFAULT_APP_SETTINGS.corsOrigins,
    exposeErrors: stored.expose_errors ?? DEFAULT_APP_SETTINGS.exposeErrors,
    weight: stored.weight ?? DEFAULT_APP_SETTINGS.weight,
    maxConcurrent: stored.max_concurrent ?? DEFAULT_APP_SETTINGS.maxConcurrent,
    maxQueued: stored.max_queued ?? DEFAULT_APP_SETTINGS.maxQueued,
    rateLimit:
      limit === null
        ? DEFAULT_APP_SETTINGS.rateLimit
        : {
            requests: limit.requests,
            windowSeconds: limit.window_seconds,
            key: limit.key as RateLimit["key"],
          },
    quotaBytes: stored.quota_bytes ?? DEFAULT_APP_SETTINGS.quotaBytes,
    logRetentionDays: stored.log_retention_days ?? DEFAULT_APP_SETTINGS.logRetentionDays,
    outboundAllow: stored.outbound_allow ?? DEFAULT_APP_SETTINGS.outboundAllow,
  };
}
