import type { Queryable } from "../../database/client.ts";
import type { DomainShape } from "../../services/catalog/index.ts";

/** A row of `app_domains`. */
export interface Domain {
  readonly app_id: string;
  readonly id: string;
  readonly pattern: string;
  readonly shape: DomainShape;
  readonly shape_key: string;
  readonly created_at: Date;
}

export async function domainsOf(sql: Queryable, appId: string): Promise<Domain[]> {
  return sql<Domain[]>`select * from app_domains where app_id = ${appId} order by pattern`;
}

/** The app that owns a claim of this shape, over the whole instance. */
export async function claimOwner(sql: Queryable, shapeKey: string): Promise<string | null> {
  const [row] = await sql<{ app_id: string }[]>`select app_id from app_domains where shape_key = ${shapeKey}`;
  return row?.app_id ?? null;
}

export async function insertDomain(
  sql: Queryable,
  domain: Omit<Domain, "created_at">,
): Promise<Domain | undefined> {
  const [row] = await sql<Domain[]>`
    insert into app_domains (app_id, id, pattern, shape, shape_key)
    values (${domain.app_id}, ${domain.id}, ${domain.pattern}, ${domain.shape}, ${domain.shape_key})
    on conflict (shape_key) do nothing
    returning *`;
  return row;
}

export async function deleteDomain(sql: Queryable, appId: string, id: string): Promise<void> {
  await sql`delete from app_domains where app_id = ${appId} and id = ${id}`;
}
