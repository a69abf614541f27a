import type { Queryable } from "../../database/client.ts";
import { ANY_MODULE, type ScriptLinks } from "../../services/catalog/index.ts";
import { conflict, invalid } from "../../shared/errors.ts";
import type { Warning } from "./model.ts";
import type { Script } from "./queries.ts";

/** A script that imports another. */
export interface Importer {
  readonly id: string;
  readonly name: string;
  readonly kind: Script["kind"];
  readonly links: Pick<ScriptLinks, "calls">;
}

/** A name that a script imports, and what is of that name. */
export interface Import {
  readonly name: string;
  readonly script_id: string | null;
  readonly kind: Script["kind"] | null;
  readonly live_version: number | null;
}

/** Writes which modules the live version of a script imports. Names that nothing has yet are written too. */
export async function replaceImports(
  sql: Queryable,
  script: Pick<Script, "app_id" | "id">,
  imports: readonly string[],
): Promise<void> {
  await sql`
    with wanted as (select unnest(${imports.filter((name) => name !== ANY_MODULE)}::text[]) as name), gone as (
      delete from script_imports
      where app_id = ${script.app_id} and script_id = ${script.id} and name not in (select name from wanted)
    )
    insert into script_imports (app_id, script_id, name)
    select ${script.app_id}, ${script.id}, name from wanted
    on conflict do nothing`;
}

/** The live scripts of an app that import a name, by name. */
export async function importersOf(sql: Queryable, appId: string, name: string): Promise<Importer[]> {
  return sql<Importer[]>`
    select s.id, s.name, s.kind, v.links
    from script_imports i
    join scripts s on s.app_id = i.app_id and s.id = i.script_id
    join script_versions v on v.app_id = s.app_id and v.script_id = s.id and v.version = s.live_version
    where i.app_id = ${appId} and i.name = ${name}
    order by s.name`;
}

/** What the live version of a script imports. */
export async function importsOf(sql: Queryable, script: Pick<Script, "app_id" | "id">): Promise<Import[]> {
  return sql<Import[]>`
    select i.name, s.id as script_id, s.kind, s.live_version
    from script_imports i left join scripts s on s.app_id = i.app_id and s.name = i.name
    where i.app_id = ${script.app_id} and i.script_id = ${script.id}
    order by i.name`;
}

/**
 * That no module imports itself, directly or through others, once a module is what it is now.
 * @throws AppError 422 `circular_import` that names the chain
 */
export async function checkCycles(sql: Queryable, appId: string, name: string): Promise<void> {
  const edges = await sql<{ importer: string; imported: string }[]>`
    select s.name as importer, i.name as imported
    from script_imports i join scripts s on s.app_id = i.app_id and s.id = i.script_id
    where i.app_id = ${appId} and s.kind = 'module'`;
  const imports = Map.groupBy(edges, ({ importer }) => importer);
  const cameFrom = new Map<string, string>();
  const waiting = [name];
  for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
    for (const { imported } of imports.get(at) ?? []) {
      if (imported === name) throw circular(chainTo(at, name, cameFrom));
      if (cameFrom.has(imported)) continue;
      cameFrom.set(imported, at);
      waiting.push(imported);
    }
  }
}

/** From the module around to itself. */
function chainTo(last: string, name: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const chain = [name];
  for (let at: string | undefined = last; at !== undefined && at !== name; at = cameFrom.get(at))
    chain.unshift(at);
  return [name, ...chain];
}

function circular(chain: readonly string[]) {
  const [name] = chain;
  return invalid("circular_import", `The module ${name} would import itself: ${chain.join(" -> ")}.`, {
    details: { chain },
  });
}

/** What is not as a script's imports want it: it is saved all the same, since scripts may come in any order. */
export async function importWarnings(
  sql: Queryable,
  script: Pick<Script, "app_id" | "id">,
  { calls }: Pick<ScriptLinks, "calls">,
): Promise<Warning[]> {
  const imports = await importsOf(sql, script);
  const exported = await exportsOf(
    sql,
    script.app_id,
    imports.map(({ name }) => name),
  );
  const warnings: Warning[] = [];
  for (const { name, script_id, kind } of imports) {
    if (script_id === null)
      warnings.push({ message: `It imports "${name}", and the app has no module of that name yet.` });
    else if (kind !== "module")
      warnings.push({ message: `It imports "${name}", which is an endpoint, not a module.` });
    else warnings.push(...missingCalls("It", name, calls, exported.get(name)));
  }
  return warnings;
}

/** Which scripts a module breaks that call what it does not have. */
export async function brokenImporters(
  sql: Queryable,
  module: Pick<Script, "app_id" | "name">,
  { exports }: Pick<ScriptLinks, "exports">,
): Promise<Warning[]> {
  const importers = await importersOf(sql, module.app_id, module.name);
  return importers.flatMap(({ name, links }) => missingCalls(`"${name}"`, module.name, links.calls, exports));
}

type Exports = ScriptLinks["exports"];

function missingCalls(
  who: string,
  module: string,
  calls: ScriptLinks["calls"],
  exports: Exports | undefined,
): Warning[] {
  if (exports === undefined) return [];
  return calls
    .filter(
      (call) =>
        call.module === module &&
        !exports.some(({ name, arity }) => name === call.name && arity === call.arity),
    )
    .map(({ name, arity }) => ({
      message: `${who} calls ${module}::${name} with ${arity} argument${arity === 1 ? "" : "s"}, and the module has no such function.`,
    }));
}

async function exportsOf(
  sql: Queryable,
  appId: string,
  names: readonly string[],
): Promise<Map<string, Exports>> {
  if (names.length === 0) return new Map();
  const rows = await sql<{ name: string; links: Pick<ScriptLinks, "exports"> }[]>`
    select s.name, v.links
    from scripts s
    join script_versions v on v.app_id = s.app_id and v.script_id = s.id and v.version = s.live_version
    where s.app_id = ${appId} and s.kind = 'module' and s.name = any(${names as string[]}::text[])`;
  return new Map(rows.map(({ name, links }) => [name, links.exports]));
}

/** @throws AppError 409 `script_is_imported` that names the importers */
export async function refuseWhileImported(
  sql: Queryable,
  appId: string,
  name: string,
  what: string,
): Promise<void> {
  const importers = await importersOf(sql, appId, name);
  if (importers.length === 0) return;
  const names = importers.map((importer) => importer.name);
  throw conflict(
    "script_is_imported",
    `${what} while ${names.map((one) => `"${one}"`).join(", ")} import${names.length === 1 ? "s" : ""} it.`,
    {
      details: { imported_by: names },
    },
  );
}
