/** What the data plane knows of apps, domains, routes and scripts: in memory, always as committed. */
export {
  appSettings,
  DEFAULT_APP_SETTINGS,
  type AppSettings,
  type StoredAppSettings,
} from "./app-settings.ts";
export { createCatalog, type Catalog, type CatalogOptions } from "./catalog.ts";
export { parseDomainClaim, type DomainClaim, type DomainShape, type HostResolution } from "./domains.ts";
export type { CatalogApp, CatalogRoute, CatalogScript } from "./model.ts";
export {
  ANY_MODULE,
  NO_LINKS,
  NO_MODULES,
  type EffectsUnit,
  type ModuleSet,
  type ModuleVersion,
  type ScriptLinks,
  type ScriptWrite,
} from "./modules.ts";
export { normaliseList, type SettingList } from "./setting-lists.ts";
export { readSource } from "./queries.ts";
export { runLimits, SANDBOX_KEYS, type ScriptSettings } from "./settings.ts";
