import { path, type Api } from "./api.ts";

interface Page<T> {
  readonly items: readonly T[];
  readonly next_cursor: string | null;
}

/** The most that a server gives at once. */
const MOST = 200;

/**
 * The first items of a list that comes in pages.
 * @param target path of the list, with its query if it has one
 * @param limit how many are wanted at most
 */
export async function firstOf<T>(api: Api, target: string, limit: number): Promise<T[]> {
  const found: T[] = [];
  const start = `${target}${target.includes("?") ? "&" : "?"}`;
  let cursor: string | null = null;
  do {
    const size = Math.min(limit - found.length, MOST);
    const at: string = cursor === null ? "" : path`&cursor=${cursor}`;
    const page: Page<T> = await api.get<Page<T>>(`${start}limit=${size}${at}`);
    found.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor !== null && found.length < limit);
  return found;
}
