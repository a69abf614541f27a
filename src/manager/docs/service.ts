import type { Transaction } from "../../database/client.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import * as store from "../../services/docs/index.ts";
import { encodeTextCursor } from "../../services/text-cursor.ts";
import { inBulk } from "../../services/usage/index.ts";
import { invalid, notFound } from "../../shared/errors.ts";
import { isUuid, newId } from "../../shared/ids.ts";
import type { AppCapability } from "../../services/identity/index.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { DEFAULT_PAGE } from "../http/cursor.ts";
import { checkName, invalidCursor, placeOf } from "../http/data-names.ts";
import { importLines, instantText, type ImportLine, type LineMembers } from "../http/import.ts";
import { rawObject, rawPage, storable } from "../http/raw-json.ts";

/** Bytes of documents in one answer, or in one piece of an export. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Documents that are read at once for an export. */
const EXPORT_BATCH = 500;

export interface CollectionPath {
  readonly app: string;
  readonly collection: string;
}
export interface DocPath extends CollectionPath {
  readonly doc_id: string;
}

/** The collection that a path names, when the caller has a capability in its app. @throws AppError 403, 404, 422 */
export async function openCollection(
  context: ManagerContext,
  who: Principal,
  { app, collection }: CollectionPath,
  capability: AppCapability,
): Promise<store.Collection> {
  const { id: appId } = await openApp(context, who, app, capability);
  checkName("collection", collection);
  return { appId, collection };
}

/** A page of documents by id, shorter than asked for when they are large. @throws AppError 403, 404, 422 */
export async function listDocs(
  context: ManagerContext,
  who: Principal,
  path: CollectionPath,
  {
    limit = DEFAULT_PAGE,
    cursor,
  }: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
): Promise<Response> {
  const collection = await openCollection(context, who, path, "AppDocsRead");
  const after = placeOf(cursor);
  if (after !== null && !isUuid(after)) throw invalidCursor();
  const page = { after, limit, maxBytes: PAGE_BYTES };
  const { docs, more } = await store.pageOfDocs(context.db, collection, page);
  const last = more ? docs.at(-1) : undefined;
  return rawPage(docs.map(docJson), last === undefined ? null : encodeTextCursor(last.id));
}

/** The JSON of a document. @throws AppError 403, 404, 422 */
export async function docOf(context: ManagerContext, who: Principal, path: DocPath): Promise<string> {
  const collection = await openCollection(context, who, path, "AppDocsRead");
  const doc = await store.getDoc(context.db, collection, idOf(path));
  if (doc === undefined) throw missing();
  return docJson(doc);
}

/** @param text JSON as the client wrote it @throws AppError 400, 403, 404, 409, 422, 507 */
export async function createDoc(
  context: ManagerContext,
  who: Actor,
  path: CollectionPath,
  text: string,
): Promise<string> {
  const collection = await openCollection(context, who, path, "AppDocsWrite");
  const data = dataOf(text);
  const id = newId();
  return changing(context, async (sql) => {
    await store.insertDoc(sql, collection, id, data);
    await recordAudit(sql, who, {
      action: "doc.create",
      appId: collection.appId,
      target: docTarget(path, id),
    });
    const doc = await store.getDoc(sql, collection, id);
    if (doc === undefined) throw missing();
    return docJson(doc);
  });
}

/**
 * Replaces a document's data, or writes some fields of it.
 * @param text JSON as the client wrote it
 * @throws AppError 400, 403, 404, 409, 422, 507
 */
export async function changeDoc(
  context: ManagerContext,
  who: Actor,
  path: DocPath,
  text: string,
  how: "replace" | "merge",
): Promise<string> {
  const collection = await openCollection(context, who, path, "AppDocsWrite");
  const id = idOf(path);
  const data = dataOf(text);
  return changing(context, async (sql) => {
    if (how === "replace") {
      if (!(await store.replaceDoc(sql, collection, id, data))) throw missing();
    } else {
      const outcome = await store.mergeDoc(sql, collection, id, data, store.MAX_DOC_BYTES);
      if (outcome === "missing") throw missing();
      if (outcome === "too large")
        throw invalid("invalid_value", `data would be larger than ${store.MAX_DOC_BYTES} bytes as JSON.`, {
          details: { field: "data" },
        });
    }
    await recordAudit(sql, who, {
      action: "doc.update",
      appId: collection.appId,
      target: docTarget(path, id),
      changed: ["data"],
    });
    const doc = await store.getDoc(sql, collection, id);
    if (doc === undefined) throw missing();
    return docJson(doc);
  });
}

/** @throws AppError 403, 404, 422 */
export async function deleteDoc(context: ManagerContext, who: Actor, path: DocPath): Promise<void> {
  const collection = await openCollection(context, who, path, "AppDocsWrite");
  const id = idOf(path);
  await changing(context, async (sql) => {
    if (!(await store.deleteDoc(sql, collection, id))) throw missing();
    await recordAudit(sql, who, {
      action: "doc.delete",
      appId: collection.appId,
      target: docTarget(path, id),
    });
  });
}

/**
 * All documents of a collection as they are read, one after the other: what is written meanwhile may be in it or not.
 * @returns gives the next lines; null: there are no more
 * @throws AppError 403, 404, 422
 */
export async function exportDocs(
  context: ManagerContext,
  who: Principal,
  path: CollectionPath,
): Promise<() => Promise<readonly string[] | null>> {
  const collection = await openCollection(context, who, path, "AppDocsRead");
  let after: string | null = null;
  let done = false;
  return async () => {
    if (done) return null;
    const page = { after, limit: EXPORT_BATCH, maxBytes: PAGE_BYTES };
    const { docs, more } = await store.pageOfDocs(context.db, collection, page);
    after = docs.at(-1)?.id ?? null;
    done = !more;
    return docs.length === 0 ? null : docs.map(docJson);
  };
}

/** Writes the lines of an export, all of them or none. @throws AppError 403, 404, 409, 422, 507 */
export async function importDocs(
  context: ManagerContext,
  who: Actor,
  path: CollectionPath,
  read: () => Promise<readonly ImportLine[]>,
): Promise<{ imported: number }> {
  const collection = await openCollection(context, who, path, "AppDocsWrite");
  const lines = await read();
  return changing(context, async (sql) => {
    const imported = await inBulk(sql, () =>
      importLines(
        lines,
        docLine,
        ({ id }) => id,
        (docs) => store.writeDocs(sql, collection, docs),
      ),
    );
    await recordAudit(sql, who, {
      action: "doc.import",
      appId: collection.appId,
      target: { kind: "doc_collection", id: path.collection, name: path.collection },
      after: { imported },
    });
    return { imported };
  });
}

/** A transaction after which is told that there may be events. */
async function changing<T>(context: ManagerContext, work: (sql: Transaction) => Promise<T>): Promise<T> {
  const { result } = await context.db.begin(async (sql) => ({ result: await work(sql) }));
  context.data.eventsCaused();
  return result;
}

function docLine(members: LineMembers): store.DocImport {
  const id = members.optionalText("id");
  if (id !== null && !isUuid(id))
    throw invalid("validation", "id is not a UUID", { details: { field: "id" } });
  const doc = {
    id: id?.toLowerCase() ?? newId(),
    data: dataOf(members.json("data")),
    created_at: instantText(members.optionalText("created_at"), "created_at"),
    updated_at: instantText(members.optionalText("updated_at"), "updated_at"),
  };
  members.end();
  return doc;
}

/** @throws AppError 400, 422 for what is no JSON object, or cannot be stored */
function dataOf(text: string): string {
  const data = storable(text, "data", store.MAX_DOC_BYTES);
  if (!data.startsWith("{"))
    throw invalid("invalid_value", "data must be a JSON object.", { details: { field: "data" } });
  return data;
}

const missing = () => notFound("Document");

/** @throws AppError 404: nothing has an id that is none */
function idOf({ doc_id: id }: DocPath): string {
  if (!isUuid(id)) throw missing();
  return id.toLowerCase();
}

const docTarget = ({ collection }: CollectionPath, id: string) => ({
  kind: "doc",
  id: `${collection}/${id}`,
  name: id,
});

export const docJson = ({ id, data, created_at, updated_at }: store.Doc): string =>
  rawObject({
    id: JSON.stringify(id),
    data,
    created_at: JSON.stringify(created_at),
    updated_at: JSON.stringify(updated_at),
  });
