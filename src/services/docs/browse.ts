import type { Queryable } from "../../database/client.ts";
import type { Collection, Doc } from "./queries.ts";

/** Which documents are wanted. */
export interface DocPage {
  /** Null: from the first. */
  readonly after: string | null;
  readonly limit: number;
  /** Of their data together; one document is answered whatever its size. */
  readonly maxBytes: number;
}

/** Documents by id, which is the order in which they were made. `more`: there may be others after them. */
export async function pageOfDocs(
  sql: Queryable,
  { appId, collection }: Collection,
  { after, limit, maxBytes }: DocPage,
): Promise<{ readonly docs: Doc[]; readonly more: boolean }> {
  const rows = await sql<(Doc & { readonly fits: boolean })[]>`
    select id, case when fits then data::text end as data, created_at, updated_at, fits
    from (
      select *, row_number() over (order by id) = 1
        or row_number() over (order by id) <= ${limit} and sum(bytes) over (order by id) <= ${maxBytes} as fits
      from (
        select * from docs
        where app_id = ${appId} and collection = ${collection} ${after === null ? sql`` : sql`and id > ${after}`}
        order by id limit ${limit + 1}
      ) candidate
    ) page
    order by id`;
  const docs = rows.filter(({ fits }) => fits);
  return { docs, more: docs.length < rows.length };
}

/** A document to be written, whatever is there. */
export interface DocImport {
  readonly id: string;
  /** JSON text of an object. */
  readonly data: string;
  /** Null: now. */
  readonly created_at: string | null;
  readonly updated_at: string | null;
}

/** @param docs of which no two have one id */
export async function writeDocs(
  sql: Queryable,
  { appId, collection }: Collection,
  docs: readonly DocImport[],
): Promise<void> {
  const column = (name: keyof DocImport) => docs.map((doc) => doc[name]) as string[];
  await sql`
    insert into docs (app_id, collection, id, data, created_at, updated_at)
    select ${appId}, ${collection}, id::uuid, data::jsonb,
      coalesce(created_at::timestamptz, now()), coalesce(updated_at::timestamptz, now())
    from unnest(${column("id")}::text[], ${column("data")}::text[], ${column("created_at")}::text[],
      ${column("updated_at")}::text[]) as given (id, data, created_at, updated_at)
    on conflict (app_id, collection, id) do update
      set data = excluded.data, created_at = excluded.created_at, updated_at = excluded.updated_at`;
}
