import type { RunLimits } from "../../shared/limits.ts";

/** The settings of one version, as `script_versions` holds them. */
export interface ScriptSettings {
  readonly timeoutSeconds: number;
  readonly memoryLimitMb: number;
  /** Overrides by the names that clients use; unknown ones were refused when saving and are ignored here. */
  readonly sandbox: Readonly<Record<string, unknown>>;
}

/** Which member of the limits each `sandbox` key sets. */
export const SANDBOX_KEYS = {
  max_operations: "maxOperations",
  max_string_size: "maxStringSize",
  max_array_size: "maxArraySize",
  max_map_size: "maxMapSize",
  max_call_levels: "maxCallLevels",
  max_expr_depth: "maxExprDepth",
  max_sdk_calls: "maxSdkCalls",
} as const satisfies Readonly<Record<string, keyof RunLimits>>;

/**
 * The limits that a version runs under. Ceilings were checked when it was saved; an operator may have lowered them
 * since, so they hold here too.
 */
export function runLimits(settings: ScriptSettings, defaults: RunLimits, ceilings: RunLimits): RunLimits {
  const wanted: { -readonly [K in keyof RunLimits]: number } = {
    ...defaults,
    timeoutMs: settings.timeoutSeconds * 1000,
    memoryBytes: settings.memoryLimitMb * 1024 * 1024,
  };
  for (const [key, member] of Object.entries(SANDBOX_KEYS)) {
    const value = settings.sandbox[key];
    if (typeof value === "number" && value > 0) wanted[member] = value;
  }
  for (const member of Object.keys(wanted) as (keyof RunLimits)[]) {
    wanted[member] = Math.min(wanted[member], ceilings[member]);
  }
  return wanted;
}
