import type { Database } from "../../src/database/client.ts";

/**
 * The schema `public` as text: the same schema gives the same text, whatever order it was made in. Not for restoring:
 * for reading, and for comparing in a review.
 */
export async function dumpSchema(db: Database): Promise<string> {
  const parts: string[] = [];
  for (const { name } of await tables(db)) parts.push(await dumpTable(db, name));
  parts.push(...(await views(db)), ...(await functions(db)));
  return `${parts.join("\n\n")}\n`;
}

const tables = (db: Database) => db<{ name: string }[]>`
  SELECT relname AS name FROM pg_class
  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
  ORDER BY relname`;

async function dumpTable(db: Database, table: string): Promise<string> {
  const columns = await db<{ text: string }[]>`
    SELECT attname || ' ' || format_type(atttypid, atttypmod)
        || CASE WHEN attnotnull THEN ' not null' ELSE '' END
        || coalesce(CASE attgenerated WHEN '' THEN ' default ' ELSE ' generated ' END || pg_get_expr(adbin, adrelid), '') AS text
    FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
    WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped
    ORDER BY attnum`;
  // Not-null constraints are said at their columns.
  const constraints = await db<{ text: string }[]>`
    SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) AS text
    FROM pg_constraint WHERE conrelid = ${table}::regclass AND contype <> 'n'
    ORDER BY contype = 'p' DESC, conname`;
  const indexes = await db<{ text: string }[]>`
    SELECT pg_get_indexdef(indexrelid) AS text
    FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
    WHERE indrelid = ${table}::regclass AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
    ORDER BY relname`;
  const triggers = await db<{ text: string }[]>`
    SELECT pg_get_triggerdef(oid) AS text FROM pg_trigger
    WHERE tgrelid = ${table}::regclass AND NOT tgisinternal ORDER BY tgname`;
  const lines = [...columns, ...constraints].map(({ text }) => `  ${text}`);
  const after = [...indexes, ...triggers].map(({ text }) => `${text};`);
  return [`TABLE ${table} (`, lines.join(",\n"), ");", ...after].join("\n");
}

async function views(db: Database): Promise<string[]> {
  const found = await db<{ text: string }[]>`
    SELECT 'VIEW ' || viewname || ' AS' || chr(10) || definition AS text FROM pg_views
    WHERE schemaname = 'public' ORDER BY viewname`;
  return found.map(({ text }) => text.trim());
}

async function functions(db: Database): Promise<string[]> {
  const found = await db<{ text: string }[]>`
    SELECT pg_get_functiondef(oid) AS text FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace ORDER BY oid::regprocedure::text`;
  return found.map(({ text }) => `${text.trim()};`);
}
