import { Type, type Static } from "@sinclair/typebox";
import type { AppSettings } from "../../services/catalog/index.ts";
import { strict } from "../http/module.ts";
import { RateLimit } from "../routes/model.ts";

const integer = (
  minimum: number,
  maximum: number,
  description = `a whole number from ${minimum} to ${maximum}`,
) => Type.Integer({ minimum, maximum, description });
const orNull = (minimum: number, maximum: number) =>
  Type.Union([integer(minimum, maximum), Type.Null()], {
    description: `a whole number from ${minimum} to ${maximum}, or null`,
  });
const texts = (what: string) =>
  Type.Array(Type.String({ minLength: 1, maxLength: 300 }), {
    maxItems: 50,
    description: `a list of at most 50 ${what}`,
  });

export const AppSettingsDTO = strict({
  cors_origins: texts("origins such as https://example.com, or *"),
  expose_errors: Type.Boolean(),
  weight: integer(1, 100),
  max_concurrent: orNull(1, 1024),
  max_queued: integer(0, 10_000),
  rate_limit: Type.Union([RateLimit, Type.Null()], {
    description: "an object of requests, window_seconds and key, or null",
  }),
  quota_bytes: orNull(0, Number.MAX_SAFE_INTEGER),
  log_retention_days: orNull(1, 3650),
  outbound_allow: texts("addresses such as 192.168.1.5:8086"),
});
export type AppSettingsDTO = Static<typeof AppSettingsDTO>;

/** What is absent stays. */
export const UpdateSettings = Type.Partial(AppSettingsDTO, { additionalProperties: false });
export type UpdateSettings = Static<typeof UpdateSettings>;

export const settingsDTO = (settings: AppSettings): AppSettingsDTO => ({
  cors_origins: [...settings.corsOrigins],
  expose_errors: settings.exposeErrors,
  weight: settings.weight,
  max_concurrent: settings.maxConcurrent,
  max_queued: settings.maxQueued,
  rate_limit:
    settings.rateLimit === null
      ? null
      : {
          requests: settings.rateLimit.requests,
          window_seconds: settings.rateLimit.windowSeconds,
          key: settings.rateLimit.key,
        },
  quota_bytes: settings.quotaBytes,
  log_retention_days: settings.logRetentionDays,
  outbound_allow: [...settings.outboundAllow],
});
