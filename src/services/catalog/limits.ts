import type { RunLimits } from "../../shared/limits.ts";
import type { CatalogRow } from "./queries.ts";
import { runLimits } from "./settings.ts";

export type LimitsOf = (
  row: Pick<CatalogRow["scripts"][number], "timeoutSeconds" | "memoryLimitMb" | "sandbox">,
) => RunLimits;

/** Different settings remembered; beyond this the memory starts anew. */
const REMEMBERED = 1000;

/**
 * The limits of versions, one object for all that have the same: most scripts have the defaults, and what was compiled
 * under an object of limits stays good as long as it is the same one.
 */
export function sharedLimits(options: {
  readonly limits: RunLimits;
  readonly ceilings: RunLimits;
}): LimitsOf {
  const remembered = new Map<string, RunLimits>();
  return ({ timeoutSeconds, memoryLimitMb, sandbox }) => {
    if (timeoutSeconds === null || memoryLimitMb === null) return options.limits;
    const settings = { timeoutSeconds, memoryLimitMb, sandbox: sandbox ?? {} };
    const key = JSON.stringify(settings);
    let limits = remembered.get(key);
    if (limits === undefined) {
      limits = runLimits(settings, options.limits, options.ceilings);
      if (remembered.size >= REMEMBERED) remembered.clear();
      remembered.set(key, limits);
    }
    return limits;
  };
}
