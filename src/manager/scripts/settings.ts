import type { Config } from "../../config.ts";
import { SANDBOX_KEYS } from "../../services/catalog/index.ts";
import { invalid } from "../../shared/errors.ts";
import type { Sandbox } from "./model.ts";

const MiB = 1024 * 1024;

export interface Settings {
  readonly timeout_seconds: number;
  readonly memory_limit_mb: number;
  readonly sandbox: Sandbox;
}

/** What a new script gets when it asks for nothing. */
export const defaultSettings = ({ limits }: Pick<Config, "limits">): Settings => ({
  timeout_seconds: Math.max(1, Math.floor(limits.timeoutMs / 1000)),
  memory_limit_mb: Math.max(1, Math.floor(limits.memoryBytes / MiB)),
  sandbox: {},
});

/** @throws AppError 422 `above_ceiling` naming the field, what was asked for and what is allowed */
export function checkCeilings(
  wanted: { readonly [K in keyof Settings]?: Settings[K] | undefined },
  config: Config,
): void {
  const { ceilings } = config;
  check("timeout_seconds", wanted.timeout_seconds, Math.floor(ceilings.timeoutMs / 1000));
  check("memory_limit_mb", wanted.memory_limit_mb, Math.floor(ceilings.memoryBytes / MiB));
  for (const key of Object.keys(SANDBOX_KEYS) as (keyof typeof SANDBOX_KEYS)[]) {
    check(`sandbox.${key}`, wanted.sandbox?.[key], ceilings[SANDBOX_KEYS[key]]);
  }
}

function check(field: string, requested: number | undefined, ceiling: number): void {
  if (requested === undefined || requested <= ceiling) return;
  throw invalid("above_ceiling", `${field}: ${requested} is above this instance's ceiling of ${ceiling}.`, {
    details: { field, requested, ceiling },
  });
}

/** Whether two settings make the same version. */
export function sameSettings(a: Settings, b: Settings): boolean {
  if (a.timeout_seconds !== b.timeout_seconds || a.memory_limit_mb !== b.memory_limit_mb) return false;
  const keys = Object.keys(SANDBOX_KEYS) as (keyof typeof SANDBOX_KEYS)[];
  return keys.every((key) => a.sandbox[key] === b.sandbox[key]);
}
