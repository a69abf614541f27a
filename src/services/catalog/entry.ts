import { compileRoutes, type RouteTable } from "../routes/index.ts";
import { appSettings } from "./app-settings.ts";
import type { CatalogApp, CatalogRoute, CatalogScript } from "./model.ts";
import type { LimitsOf } from "./limits.ts";
import { NO_MODULES, reachableModules, type ModuleSet } from "./modules.ts";
import type { CatalogRow } from "./queries.ts";

/** One app in memory. Changes are worked into it, so that one costs the same in an app of ten thousand scripts. */
export class Entry {
  app: CatalogApp;
  /** `apps.catalog_version` when it was last read. */
  version: number;
  /** What changed from here on has not been read. */
  horizon: string;
  domains: CatalogRow["domains"];
  readonly #routes = new Map<string, CatalogRoute>();
  readonly #table: RouteTable<CatalogRoute> = compileRoutes<CatalogRoute>([]);
  /** Of all apps. */
  readonly #scripts: Map<string, CatalogScript>;
  readonly #scriptIds = new Set<string>();
  readonly #byName = new Map<string, CatalogScript>();
  /** By the names that are imported. Forgotten when any script changes. */
  #moduleSets = new Map<string, ModuleSet>();
  readonly #limits: LimitsOf;
  #settings: string;

  /**
   * @param row everything of the app
   * @param scripts of all apps: this one's are kept there
   */
  constructor(row: CatalogRow, scripts: Map<string, CatalogScript>, limits: LimitsOf) {
    this.app = appOf(row);
    this.version = Number(row.version);
    this.horizon = row.horizon;
    this.domains = row.domains;
    this.#settings = JSON.stringify(row.settings);
    this.#scripts = scripts;
    this.#limits = limits;
    this.#workIn(row);
  }

  get routes(): Pick<RouteTable<CatalogRoute>, "match"> {
    return this.#table;
  }

  /** What a script of the app can reach that imports these names; the same object until a script changes. */
  modules(imports: readonly string[]): ModuleSet {
    if (imports.length === 0) return NO_MODULES;
    const key = imports.join("\n");
    let set = this.#moduleSets.get(key);
    if (set === undefined) this.#moduleSets.set(key, (set = reachableModules(imports, this.#byName)));
    return set;
  }

  /** The app is gone: so are its scripts. */
  clear(): void {
    for (const id of this.#scriptIds) this.#scripts.delete(id);
  }

  /**
   * Works in what has changed.
   * @param row as read since `horizon`
   * @returns whether the app's hosts must be resolved anew: slug, settings or domains are not what they were
   */
  apply(row: CatalogRow): boolean {
    const settings = JSON.stringify(row.settings);
    const isSameApp =
      row.slug === this.app.slug &&
      settings === this.#settings &&
      row.emits === this.app.emits &&
      row.pausedUntil === this.app.pausedUntil;
    if (!isSameApp) this.app = appOf(row);
    const isSameHosts = isSameApp && JSON.stringify(row.domains) === JSON.stringify(this.domains);
    this.#settings = settings;
    this.domains = row.domains;
    this.#workIn(row);
    this.version = Number(row.version);
    this.horizon = row.horizon;
    return !isSameHosts;
  }

  #workIn({ routes, scripts, deletedIds, routeIds, scriptIds }: CatalogRow): void {
    // First, since what was deleted may have been made again.
    for (const id of deletedIds) {
      this.#removeRoute(id);
      if (this.#scriptIds.has(id)) this.#removeScript(id);
    }
    for (const id of missing(this.#routes, routeIds)) this.#removeRoute(id);
    for (const id of missing(this.#scriptIds, scriptIds)) this.#removeScript(id);
    // All that changed goes before any of it comes back: two routes may have changed places.
    for (const { id } of routes) this.#removeRoute(id);
    for (const { enabled, ...row } of routes) {
      if (!enabled) continue;
      const route = { ...row, appId: this.app.id };
      this.#routes.set(route.id, route);
      this.#table.add(route);
    }
    for (const script of scripts) this.#addScript(script);
    if (scripts.length > 0) this.#moduleSets = new Map();
  }

  #addScript(row: CatalogRow["scripts"][number]): void {
    const { id, name, kind, liveVersion, directExecute } = row;
    const former = this.#scripts.get(id);
    if (former !== undefined) this.#forgetName(former);
    const script = {
      appId: this.app.id,
      id,
      name,
      kind,
      liveVersion,
      directExecute,
      limits: this.#limits(row),
      imports: row.imports ?? [],
    };
    this.#scriptIds.add(id);
    this.#scripts.set(id, script);
    this.#byName.set(name, script);
  }

  #removeScript(id: string): void {
    const former = this.#scripts.get(id);
    if (former !== undefined) this.#forgetName(former);
    this.#moduleSets = new Map();
    this.#scriptIds.delete(id);
    this.#scripts.delete(id);
  }

  /** Unless another script has taken the name over. */
  #forgetName(script: CatalogScript): void {
    if (this.#byName.get(script.name) === script) this.#byName.delete(script.name);
  }

  #removeRoute(id: string): void {
    const route = this.#routes.get(id);
    if (route === undefined) return;
    this.#routes.delete(id);
    this.#table.remove(route);
  }
}

const appOf = ({ id, slug, settings, emits, pausedUntil }: CatalogRow): CatalogApp => ({
  id,
  slug,
  settings: appSettings(settings),
  emits,
  pausedUntil,
});

/** What is known and not there any more. @param present null: nothing was deleted */
function missing(known: { keys(): Iterable<string> }, present: readonly string[] | null): string[] {
  if (present === null) return [];
  const there = new Set(present);
  return [...known.keys()].filter((id) => !there.has(id));
}
