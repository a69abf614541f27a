/**
 * The baseline of the SDK benchmark: what an author would write by hand with Elysia and postgres.js, with the SQL that
 * PiCloud sends. argv: where the database is, as JSON, and the id of the app. Prints its port.
 */
import { Elysia } from "elysia";
import postgres from "postgres";

const { directory, user, database, app } = JSON.parse(process.argv[2] ?? "{}") as Record<string, string>;
const sql = postgres({
  path: `${directory}/.s.PGSQL.5432`,
  user: user ?? "",
  database: database ?? "",
  onnotice: () => {},
});

const [index] = await sql<{ id: string }[]>`
  select id from doc_indexes where app_id = ${app ?? ""} and collection = 'bench'`;

async function kvGet(key: string): Promise<unknown> {
  const [row] = await sql<{ value: string }[]>`
    select value::text as value from kv_entries
    where app_id = ${app ?? ""} and collection = 'bench' and key = ${key}
      and (expires_at is null or expires_at > now())`;
  return row === undefined ? null : (JSON.parse(row.value) as unknown);
}

async function findOne(key: string): Promise<unknown> {
  const value = JSON.stringify(key);
  const [row] = await sql<{ id: string; data: string; created_at: Date; updated_at: Date }[]>`
    select f.id, f.data::text as data, f.created_at, f.updated_at from (
      select e.doc_id as id, d.data, d.created_at, d.updated_at from doc_index_entries e
      cross join lateral (
        select d.data, d.created_at, d.updated_at from docs d
        where d.app_id = ${app ?? ""} and d.collection = 'bench' and d.id = e.doc_id
          and coalesce((d.data #> '{email}') = ${value}::text::jsonb, false) offset 0) d
      where e.app_id = ${app ?? ""} and e.index_id = ${index?.id ?? 0} and not e.is_gone and e.value = ${value}::text::jsonb
      order by id limit 1) f`;
  if (row === undefined) return null;
  return {
    id: row.id,
    data: JSON.parse(row.data) as unknown,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

async function kvSet(key: string, seen: unknown): Promise<void> {
  const value = JSON.stringify({ seen, count: 1 });
  await sql`
    insert into kv_entries as e (app_id, collection, key, value, expires_at)
    values (${app ?? ""}, 'written', ${key}, ${value}::text::jsonb, null)
    on conflict (app_id, collection, key) do update
      set value = excluded.value, expires_at = excluded.expires_at, updated_at = now(),
        created_at = case when e.expires_at <= now() then now() else e.created_at end`;
}

const server = new Elysia()
  .get("/kv-get/:key", async ({ params: { key } }) => ({ value: await kvGet(key) }))
  .get("/find-one/:key", async ({ params: { key } }) => ({ doc: await findOne(key) }))
  .get("/kv-set/:key", async ({ params: { key } }) => {
    await kvSet(key, key);
    return { written: key };
  })
  .get("/all/:key", async ({ params: { key } }) => {
    const value = await kvGet(key);
    const doc = await findOne(key);
    await kvSet(key, value);
    return { value, doc };
  })
  .listen({ hostname: "127.0.0.1", port: 0, reusePort: false });
console.log(server.server?.port);
