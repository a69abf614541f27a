/** What the data plane knows of apps, domains, routes and scripts: in memory, always as committed. */
export { createCatalog, type Catalog, type CatalogOptions } from "./catalog.ts";
export { runLimits, type ScriptSettings } from "./settings.ts";
export type { CatalogApp, CatalogRoute, CatalogScript, HostMatch } from "./model.ts";
