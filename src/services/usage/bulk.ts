import type { Transaction } from "../../database/client.ts";

/**
 * Work that writes thousands of rows. What they count is added up in the transaction instead of being written with each:
 * each would look for its counter among all versions that the transaction has made of it.
 */
export async function inBulk<T>(sql: Transaction, work: () => Promise<T>): Promise<T> {
  await sql`set local picloud.usage_bulk = 'on'`;
  const result = await work();
  await sql`select write_noted_usage()`;
  await sql`set local picloud.usage_bulk = 'off'`;
  return result;
}
