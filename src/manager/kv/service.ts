import { recordAudit, type Actor } from "../../services/audit/index.ts";
import {
  deleteKey,
  getEntry,
  MAX_VALUE_BYTES,
  pageOfEntries,
  setValue,
  writeEntries,
  type KvEntry,
  type KvImport,
} from "../../services/kv/index.ts";
import { encodeTextCursor } from "../../services/text-cursor.ts";
import { inBulk, listUsage, type CollectionUsage, type DataKind } from "../../services/usage/index.ts";
import { notFound } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { DEFAULT_PAGE } from "../http/cursor.ts";
import { checkName, placeOf } from "../http/data-names.ts";
import { importLines, instantText, type ImportLine, type LineMembers } from "../http/import.ts";
import { rawObject, rawPage, storable } from "../http/raw-json.ts";

/** Bytes of keys and values in one answer, or in one piece of an export. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Entries that are read at once for an export. */
const EXPORT_BATCH = 500;

interface NamePage {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** The collections of an app that are not empty, by name. @throws AppError 403, 404, 422 */
export async function collectionsOf(
  context: ManagerContext,
  who: Principal,
  app: string,
  kind: DataKind,
  { limit = DEFAULT_PAGE, cursor }: NamePage,
): Promise<{ appId: string; items: CollectionUsage[]; next_cursor: string | null }> {
  const { id: appId } = await openApp(context, who, app, kind === "kv" ? "AppKvRead" : "AppDocsRead");
  const rows = await listUsage(context.db, appId, kind, { after: placeOf(cursor), limit: limit + 1 });
  const items = rows.slice(0, limit);
  const last = rows.length > limit ? items.at(-1) : undefined;
  return { appId, items, next_cursor: last === undefined ? null : encodeTextCursor(last.collection) };
}

/** A page of entries, shorter than asked for when they are large. @throws AppError 403, 404, 422 */
export async function listEntries(
  context: ManagerContext,
  who: Principal,
  { app, collection }: { readonly app: string; readonly collection: string },
  { limit = DEFAULT_PAGE, cursor, prefix = "" }: NamePage & { readonly prefix?: string | undefined },
): Promise<Response> {
  const { id: appId } = await openApp(context, who, app, "AppKvRead");
  checkName("collection", collection);
  if (prefix !== "") checkName("prefix", prefix);
  const page = { prefix, after: placeOf(cursor), limit, maxBytes: PAGE_BYTES };
  const { entries, more } = await pageOfEntries(context.db, { appId, collection }, page);
  const last = more ? entries.at(-1) : undefined;
  return rawPage(entries.map(entryJson), last === undefined ? null : encodeTextCursor(last.key));
}

interface KeyPath {
  readonly app: string;
  readonly collection: string;
  readonly key: string;
}

/** The JSON of an entry. @throws AppError 403, 404, 422 */
export async function entryOf(context: ManagerContext, who: Principal, path: KeyPath): Promise<string> {
  const { id: appId } = await openApp(context, who, path.app, "AppKvRead");
  checkPlace(path);
  const entry = await getEntry(context.db, { appId, collection: path.collection, key: path.key });
  if (entry === undefined) throw notFound("Key");
  return entryJson(entry);
}

/** @param text JSON as the client wrote it @throws AppError 400, 403, 404, 422, 507 */
export async function setEntry(
  context: ManagerContext,
  who: Actor,
  path: KeyPath,
  text: string,
  ttlSeconds: number | null,
): Promise<{ readonly created: boolean; readonly json: string }> {
  const { id: appId } = await openApp(context, who, path.app, "AppKvWrite");
  checkPlace(path);
  const value = storable(text, "value", MAX_VALUE_BYTES);
  const place = { appId, collection: path.collection, key: path.key };
  const entry = await context.db.begin(async (sql) => {
    await setValue(sql, place, value, ttlSeconds);
    await recordAudit(sql, who, { action: "kv.set", appId, target: keyTarget(path), changed: ["value"] });
    return getEntry(sql, place);
  });
  context.data.eventsCaused();
  if (entry === undefined) throw notFound("Key");
  if (entry.expires_at !== null) context.data.expires(entry.expires_at.getTime());
  return {
    created: entry.created_at.getTime() === entry.updated_at.getTime(),
    json: entryJson(entry),
  };
}

/** @throws AppError 403, 404, 422 */
export async function deleteEntry(context: ManagerContext, who: Actor, path: KeyPath): Promise<void> {
  const { id: appId } = await openApp(context, who, path.app, "AppKvWrite");
  checkPlace(path);
  await context.db.begin(async (sql) => {
    if (!(await deleteKey(sql, { appId, collection: path.collection, key: path.key }))) throw notFound("Key");
    await recordAudit(sql, who, { action: "kv.delete", appId, target: keyTarget(path) });
  });
  context.data.eventsCaused();
}

/**
 * All entries of a collection as they are read, one after the other: what is written meanwhile may be in it or not.
 * @returns gives the next lines; null: there are no more
 * @throws AppError 403, 404, 422
 */
export async function exportEntries(
  context: ManagerContext,
  who: Principal,
  { app, collection }: { readonly app: string; readonly collection: string },
): Promise<() => Promise<readonly string[] | null>> {
  const { id: appId } = await openApp(context, who, app, "AppKvRead");
  checkName("collection", collection);
  let after: string | null = null;
  let done = false;
  return async () => {
    if (done) return null;
    const page = { prefix: "", after, limit: EXPORT_BATCH, maxBytes: PAGE_BYTES };
    const { entries, more } = await pageOfEntries(context.db, { appId, collection }, page);
    after = entries.at(-1)?.key ?? null;
    done = !more;
    return entries.length === 0 ? null : entries.map(entryJson);
  };
}

/** Writes the lines of an export, all of them or none. @throws AppError 403, 404, 422, 507 */
export async function importEntries(
  context: ManagerContext,
  who: Actor,
  { app, collection }: { readonly app: string; readonly collection: string },
  read: () => Promise<readonly ImportLine[]>,
): Promise<{ imported: number }> {
  const { id: appId } = await openApp(context, who, app, "AppKvWrite");
  checkName("collection", collection);
  const lines = await read();
  let firstExpiry = Number.POSITIVE_INFINITY;
  const imported = await context.db.begin(async (sql) => {
    const count = await inBulk(sql, () =>
      importLines(
        lines,
        entryLine,
        ({ key }) => key,
        async (entries) => {
          for (const { expires_at: at } of entries)
            if (at !== null) firstExpiry = Math.min(firstExpiry, Date.parse(at));
          await writeEntries(sql, { appId, collection }, entries);
        },
      ),
    );
    await recordAudit(sql, who, {
      action: "kv.import",
      appId,
      target: { kind: "kv_collection", id: collection, name: collection },
      after: { imported: count },
    });
    return count;
  });
  context.data.eventsCaused();
  if (Number.isFinite(firstExpiry)) context.data.expires(firstExpiry);
  return { imported };
}

function entryLine(members: LineMembers): KvImport {
  const key = members.text("key");
  checkName("key", key);
  const entry = {
    key,
    value: storable(members.json("value"), "value", MAX_VALUE_BYTES),
    expires_at: instantText(members.optionalText("expires_at"), "expires_at"),
    created_at: instantText(members.optionalText("created_at"), "created_at"),
    updated_at: instantText(members.optionalText("updated_at"), "updated_at"),
  };
  members.end();
  return entry;
}

function checkPlace({ collection, key }: KeyPath): void {
  checkName("collection", collection);
  checkName("key", key);
}

const keyTarget = ({ collection, key }: KeyPath) => ({ kind: "kv", id: `${collection}/${key}`, name: key });

const entryJson = ({ key, value, expires_at, created_at, updated_at }: KvEntry): string =>
  rawObject({
    key: JSON.stringify(key),
    value,
    expires_at: JSON.stringify(expires_at),
    created_at: JSON.stringify(created_at),
    updated_at: JSON.stringify(updated_at),
  });
