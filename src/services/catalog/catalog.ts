import type { Config } from "../../config.ts";
import type { Database } from "../../database/client.ts";
import { logger } from "../../shared/log.ts";
import type { RouteMatch } from "../routes/index.ts";
import { compileHosts, type HostResolution, type HostTable } from "./domains.ts";
import type { CatalogApp, CatalogRoute, CatalogScript } from "./model.ts";
import { NO_MODULES, type ModuleSet } from "./modules.ts";
import { Entry } from "./entry.ts";
import { sharedLimits } from "./limits.ts";
import { readApps, readChanges } from "./queries.ts";

export type CatalogOptions = Pick<Config, "fallbackApp" | "limits" | "ceilings">;

export interface Catalog {
  /** Reads everything. To be called at boot, before the first request. */
  load(): Promise<void>;
  /** Reads what changed in one app. Resolves when what was committed before the call is visible. A deleted app vanishes. */
  refresh(appId: string): Promise<void>;
  /** For NOTIFY picloud_catalog: `app_id:catalog_version`. Reads the app again unless it is that new already. */
  onNotify(payload: string): void;
  /** `load()` that logs instead of rejecting; for a LISTEN connection that came back. */
  reload(): Promise<void>;
  /** The app that answers for a Host header; port, case and a trailing dot do not matter. */
  resolveApp(host: string): HostResolution<CatalogApp>;
  /**
   * The route of an app that answers; null: none.
   * @param host normalised, as `resolveApp` gives it
   * @throws AppError 400 `malformed_path` for escapes that cannot be decoded
   */
  route(appId: string, method: string, host: string, path: string): RouteMatch<CatalogRoute> | null;
  app(appId: string): CatalogApp | undefined;
  script(scriptId: string): CatalogScript | undefined;
  /** What a script of an app can reach that imports these names; the same object as long as it means the same. */
  modules(appId: string, imports: readonly string[]): ModuleSet;
}

/** What waits for the next read: apps by id, or everything. */
interface Batch {
  everything: boolean;
  readonly appIds: Set<string>;
  readonly done: Promise<void>;
}

/** Waits before a read that failed is tried again: the first, and the longest. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 10_000;

/**
 * All reads go through one line, one at a time: whoever asks joins the batch that has not started yet. So a read
 * always starts after it was asked for, and an older read can never overwrite a newer one.
 */
export function createCatalog(db: Database, options: CatalogOptions): Catalog {
  const entries = new Map<string, Entry>();
  const scripts = new Map<string, CatalogScript>();
  const limits = sharedLimits(options);
  let hosts: HostTable<CatalogApp> = compileHosts<CatalogApp>([], null);
  let waiting: Batch | null = null;
  let last: Promise<void> = Promise.resolve();
  let retryMs = FIRST_RETRY_MS;

  function ask(appId: string | null): Promise<void> {
    if (waiting === null) {
      const before = last;
      const { promise, resolve } = Promise.withResolvers<void>();
      const batch: Batch = { everything: false, appIds: new Set(), done: promise };
      waiting = batch;
      last = promise.catch(() => {});
      resolve(
        before.then(() => {
          waiting = null;
          return read(batch).then(
            () => void (retryMs = FIRST_RETRY_MS),
            (error: unknown) => {
              askAgainLater(batch);
              throw error;
            },
          );
        }),
      );
    }
    if (appId === null) waiting.everything = true;
    else waiting.appIds.add(appId);
    return waiting.done;
  }

  /** What could not be read stays owed: else a change whose notice came while the database was away is never seen. */
  function askAgainLater({ everything, appIds }: Batch): void {
    const retry = setTimeout(() => {
      // A failure of this attempt asks again by itself.
      for (const appId of everything ? [null] : appIds) ask(appId).catch(() => {});
    }, retryMs);
    retry.unref();
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  }

  async function read(batch: Batch): Promise<void> {
    const { everything } = batch;
    const since = new Map<string, string>();
    const unknown: string[] = [];
    for (const appId of batch.appIds) {
      const horizon = entries.get(appId)?.horizon;
      if (horizon === undefined) unknown.push(appId);
      else since.set(appId, horizon);
    }
    const [whole, changed] = await Promise.all([
      everything || unknown.length > 0 ? readApps(db, everything ? null : unknown) : [],
      !everything && since.size > 0 ? readChanges(db, since) : [],
    ]);
    const gone = new Set(everything ? entries.keys() : batch.appIds);
    let hostsChanged = everything;
    for (const row of whole) {
      gone.delete(row.id);
      entries.get(row.id)?.clear();
      entries.set(row.id, new Entry(row, scripts, limits));
      hostsChanged = true;
    }
    for (const row of changed) {
      gone.delete(row.id);
      if (entries.get(row.id)?.apply(row) === true) hostsChanged = true;
    }
    for (const appId of gone) if (remove(appId)) hostsChanged = true;
    if (hostsChanged) hosts = compileHosts(claims(), fallback());
  }

  /** @returns whether hosts must be resolved anew */
  function remove(appId: string): boolean {
    entries.get(appId)?.clear();
    return entries.delete(appId);
  }

  function* claims() {
    for (const { app, domains } of entries.values()) {
      for (const { pattern, shape } of domains) yield { pattern, shape, app };
    }
  }

  function fallback(): CatalogApp | null {
    for (const { app } of entries.values()) if (app.slug === options.fallbackApp) return app;
    return null;
  }

  return {
    load: () => ask(null),
    refresh: (appId) => ask(appId),
    onNotify(payload) {
      const [appId = "", version] = payload.split(":");
      // Version 0 tells of a deleted app.
      const known = entries.get(appId)?.version ?? 0;
      if (Number(version) > 0 ? known >= Number(version) : known === 0) return;
      ask(appId).catch((error: unknown) => {
        logger("catalog").warning("cannot read app {appId} again: {error}", { appId, error });
      });
    },
    async reload() {
      try {
        await ask(null);
      } catch (error) {
        logger("catalog").warning("cannot read the catalog again: {error}", { error });
      }
    },
    resolveApp: (host) => hosts.resolve(host),
    route: (appId, method, host, path) => entries.get(appId)?.routes.match(method, host, path) ?? null,
    app: (appId) => entries.get(appId)?.app,
    script: (scriptId) => scripts.get(scriptId),
    modules: (appId, imports) => entries.get(appId)?.modules(imports) ?? NO_MODULES,
  };
}
