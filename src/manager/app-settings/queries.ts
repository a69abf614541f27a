import type { Queryable } from "../../database/client.ts";
import type { StoredAppSettings } from "../../services/catalog/index.ts";

export async function readSettings(sql: Queryable, appId: string): Promise<StoredAppSettings | undefined> {
  const [row] = await sql<{ settings: StoredAppSettings }[]>`select settings from apps where id = ${appId}`;
  return row?.settings;
}

/** Tells the data plane too, at commit. */
export async function writeSettings(
  sql: Queryable,
  appId: string,
  settings: StoredAppSettings,
): Promise<void> {
  await sql`
    update apps
    set settings = ${sql.json({ ...settings })}, updated_at = now(), catalog_version = catalog_version + 1
    where id = ${appId}`;
}
