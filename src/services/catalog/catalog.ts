import type { Config } from "../../config.ts";
import type { Database } from "../../database/client.ts";
import type { RouteMatch } from "../routes/index.ts";
import type { CatalogApp, CatalogRoute, CatalogScript, HostMatch } from "./model.ts";

export type CatalogOptions = Pick<Config, "fallbackApp" | "limits" | "ceilings">;

export interface Catalog {
  /** Reads everything. To be called at boot, before the first request, and again after a lost LISTEN connection. */
  load(): Promise<void>;
  /** Reads one app again. Resolves when what was committed before the call is visible. A deleted app vanishes. */
  refresh(appId: string): Promise<void>;
  /** For NOTIFY picloud_catalog: `app_id:catalog_version`. Reads the app again unless it is that new already. */
  onNotify(payload: string): void;
  /** `load()` that logs instead of rejecting; for `onReconnect`. */
  reload(): Promise<void>;
  /** The app that answers for a Host header (port and case do not matter); null: nobody does. */
  resolveApp(host: string): HostMatch | null;
  /**
   * The route of an app that answers; null: none.
   * @throws AppError 400 `malformed_path` for escapes that cannot be decoded
   */
  route(appId: string, method: string, host: string, path: string): RouteMatch<CatalogRoute> | null;
  app(appId: string): CatalogApp | undefined;
  script(scriptId: string): CatalogScript | undefined;
}

export declare function createCatalog(db: Database, options: CatalogOptions): Catalog;
