/**
 * Limits of one run. Every member is enforced inside the compiled script (operations, sizes, depth, memory), where
 * scripts call services, or by the executor's watchdog (timeout).
 */
export interface RunLimits {
  readonly maxOperations: number;
  /** Bytes of UTF-8. */
  readonly maxStringSize: number;
  /** Elements, nested ones included. */
  readonly maxArraySize: number;
  /** Entries, nested ones included. */
  readonly maxMapSize: number;
  readonly maxCallLevels: number;
  readonly maxExprDepth: number;
  /** Calls of services. */
  readonly maxSdkCalls: number;
  /** Wall clock, in milliseconds. */
  readonly timeoutMs: number;
  /** Bytes of the script's own values. */
  readonly memoryBytes: number;
}

const MiB = 1024 * 1024;

/** What a script gets when it asks for nothing (CONTRACT: limits). */
export const DEFAULT_LIMITS: RunLimits = {
  maxOperations: 10_000_000,
  maxStringSize: MiB,
  maxArraySize: 100_000,
  maxMapSize: 100_000,
  maxCallLevels: 64,
  maxExprDepth: 64,
  maxSdkCalls: 1000,
  timeoutMs: 30_000,
  memoryBytes: 64 * MiB,
};

/** The most that a script may ask for, unless the operator raises it. */
export const DEFAULT_CEILINGS: RunLimits = {
  maxOperations: 1_000_000_000,
  maxStringSize: MiB,
  maxArraySize: 100_000,
  maxMapSize: 100_000,
  maxCallLevels: 128,
  maxExprDepth: 128,
  maxSdkCalls: 10_000,
  timeoutMs: 300_000,
  memoryBytes: 512 * MiB,
};

/** Largest source text of a script, in bytes. */
export const MAX_SOURCE_BYTES = 256 * 1024;
