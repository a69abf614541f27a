import { RhaiMap, type Value } from "../../rhai/index.ts";
import type { Path } from "./filter.ts";

/** The fields of a document that are wanted, where they were. */
export function pickFields(whole: Value, paths: readonly Path[]): RhaiMap {
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
