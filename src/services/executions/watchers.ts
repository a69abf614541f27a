import { logger } from "../../shared/log.ts";
import type { ExecutionRow, LogDTO, RequestRecord } from "./model.ts";
import { toDto } from "./row.ts";

/** Those who want to hear of an app's runs as they end. */
export function createWatchers() {
  const byApp = new Map<string, Set<(run: LogDTO) => void>>();
  return {
    has: (appId: string): boolean => byApp.size > 0 && byApp.has(appId),
    tell(row: ExecutionRow, recorded: RequestRecord | null): void {
      const run = toDto(row, recorded);
      for (const onRun of byApp.get(row.appId) ?? []) {
        try {
          onRun(run);
        } catch (error) {
          logger("executions").warning("cannot tell of a run: {error}", { error });
        }
      }
    },
    /** @returns what ends it */
    add(appId: string, onRun: (run: LogDTO) => void): () => void {
      const watchers = byApp.get(appId) ?? new Set();
      // So that the same function may watch twice.
      const own = (run: LogDTO): void => onRun(run);
      watchers.add(own);
      byApp.set(appId, watchers);
      return () => {
        watchers.delete(own);
        if (watchers.size === 0 && byApp.get(appId) === watchers) byApp.delete(appId);
      };
    },
  };
}
