import { parseJson, RhaiArray, RhaiMap, type Value } from "../../../rhai/index.ts";
import type { Doc, Path } from "../../../services/docs/index.ts";

/** A document as scripts see it; what its author wrote is under `data` alone. */
export function envelope(
  { id, data: json, created_at, updated_at }: Doc,
  select: readonly Path[] | null,
): RhaiMap {
  const whole = parseJson(json);
  return RhaiMap.of(
    new Map<string, Value>([
      ["id", id],
      ["data", select === null ? whole : picked(whole, select)],
      ["created_at", created_at.toISOString()],
      ["updated_at", updated_at.toISOString()],
    ]),
  );
}

/** The fields of a document that are wanted, where they were. */
function picked(whole: Value, paths: readonly Path[]): RhaiMap {
  const result = RhaiMap.of(new Map());
  for (const path of paths) {
    let from = whole;
    let to = result;
    for (const [depth, segment] of path.entries()) {
      if (!(from instanceof RhaiMap) || !from.entries.has(segment)) break;
      from = from.entries.get(segment);
      if (depth === path.length - 1) to.writable().set(segment, from);
      else {
        const inner = to.entries.get(segment);
        const next = inner instanceof RhaiMap ? inner : RhaiMap.of(new Map());
        if (from instanceof RhaiMap && inner !== next) to.writable().set(segment, next);
        to = next;
      }
    }
  }
  return result;
}

/** A page of documents. @param nextCursor undefined: it is the last one */
export const pageOf = (shown: RhaiMap[], nextCursor: string | undefined): RhaiMap =>
  RhaiMap.of(
    new Map<string, Value>([
      ["docs", new RhaiArray(shown)],
      ["next_cursor", nextCursor],
    ]),
  );
