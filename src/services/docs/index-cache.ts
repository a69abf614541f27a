import type { Queryable } from "../../database/client.ts";
import { readyIndexes } from "./indexes.ts";
import type { ReadyIndex } from "./plan.ts";
import type { Collection } from "./queries.ts";

/**
 * What was read is used for so long. A statement may then take its 5 s (or a transaction), and is still over before an index
 * that was dropped meanwhile is not kept up any more, which is after DROP_AFTER_SECONDS.
 */
const KEPT_MS = 4000;
/** Collections that are remembered; beyond that all are forgotten. */
const MAX_COLLECTIONS = 1000;

/** The indexes that queries may use, as they were a moment ago, so that most queries need no second statement. */
export class IndexCache {
  readonly #known = new Map<string, { readonly until: number; readonly indexes: readonly ReadyIndex[] }>();

  async ready(sql: Queryable, place: Collection): Promise<readonly ReadyIndex[]> {
    const key = keyOf(place);
    const now = performance.now();
    const known = this.#known.get(key);
    if (known !== undefined && now < known.until) return known.indexes;
    const indexes = await readyIndexes(sql, place);
    if (this.#known.size >= MAX_COLLECTIONS) this.#known.clear();
    // From before it was asked for: the answer may be of that moment.
    this.#known.set(key, { until: now + KEPT_MS, indexes });
    return indexes;
  }

  /** To be called when the indexes of a collection change, or may have. */
  forget(place: Collection): void {
    this.#known.delete(keyOf(place));
  }
}

const keyOf = ({ appId, collection }: Collection): string => `${appId} ${collection}`;
