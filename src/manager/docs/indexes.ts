import { recordAudit, type Actor } from "../../services/audit/index.ts";
import * as store from "../../services/docs/index.ts";
import { notFound } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import type { ManagerContext } from "../context.ts";
import { collectionsOf } from "../kv/service.ts";
import type { CreateIndex, IndexDTO } from "./model.ts";
import { openCollection, type CollectionPath } from "./service.ts";

/** The collections of an app that are not empty, with their indexes. @throws AppError 403, 404, 422 */
export async function docCollections(
  context: ManagerContext,
  who: Principal,
  app: string,
  query: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
) {
  const { appId, items, next_cursor } = await collectionsOf(context, who, app, "docs", query);
  const indexes = await store.indexesOf(
    context.db,
    appId,
    items.map(({ collection }) => collection),
  );
  return {
    items: items.map((item) => ({
      ...item,
      indexes: indexes.filter(({ collection }) => collection === item.collection).map(indexDTO),
    })),
    next_cursor,
  };
}

/** @throws AppError 403, 404, 422 */
export async function listIndexes(
  context: ManagerContext,
  who: Principal,
  path: CollectionPath,
): Promise<IndexDTO[]> {
  const collection = await openCollection(context, who, path, "AppDocsRead");
  return (await store.listIndexes(context.db, collection)).map(indexDTO);
}

/** Asks for an index, which is then built beside what goes on. @throws AppError 403, 404, 409, 422 */
export async function createIndex(
  context: ManagerContext,
  who: Actor,
  path: CollectionPath,
  { field, unique = false }: CreateIndex,
): Promise<IndexDTO> {
  const collection = await openCollection(context, who, path, "AppDocsWrite");
  const wanted = store.readPath(field);
  const index = await context.db.begin(async (sql) => {
    await store.requestIndex(sql, collection, wanted, unique);
    await recordAudit(sql, who, {
      action: "index.create",
      appId: collection.appId,
      target: indexTarget(path, field),
      after: { field, unique },
    });
    return (await store.listIndexes(sql, collection)).find((one) => one.path.join(".") === field);
  });
  if (index === undefined) throw notFound("Index");
  context.data.indexesChanged();
  return indexDTO(index);
}

/** @throws AppError 403, 404, 422 */
export async function dropIndex(
  context: ManagerContext,
  who: Actor,
  path: CollectionPath & { readonly field: string },
): Promise<void> {
  const collection = await openCollection(context, who, path, "AppDocsWrite");
  await context.db.begin(async (sql) => {
    if (!(await store.requestDrop(sql, collection, store.readPath(path.field)))) throw notFound("Index");
    await recordAudit(sql, who, {
      action: "index.drop",
      appId: collection.appId,
      target: indexTarget(path, path.field),
    });
  });
  context.data.indexesChanged();
}

const indexTarget = ({ collection }: CollectionPath, field: string) => ({
  kind: "index",
  id: `${collection}/${field}`,
  name: field,
});

const indexDTO = ({ path, is_unique, state, error, created_at }: store.DocIndex): IndexDTO => ({
  field: path.join("."),
  unique: is_unique,
  state,
  error,
  created_at: created_at.toISOString(),
});
