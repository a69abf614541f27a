import { parseJson, RhaiArray, RhaiMap, type Value } from "../../../rhai/index.ts";
import { pickFields, type Doc, type Path } from "../../../services/docs/index.ts";

/** A document as scripts see it; what its author wrote is under `data` alone. */
export function envelope(
  { id, data: json, created_at, updated_at }: Doc,
  select: readonly Path[] | null,
): RhaiMap {
  const whole = parseJson(json);
  const doc = new RhaiMap();
  doc.entries.setUsual("id", id);
  doc.entries.setUsual("data", select === null ? whole : pickFields(whole, select));
  doc.entries.setUsual("created_at", created_at.toISOString());
  doc.entries.setUsual("updated_at", updated_at.toISOString());
  return doc;
}

/** A page of documents. @param nextCursor undefined: it is the last one */
export const pageOf = (shown: RhaiMap[], nextCursor: string | undefined): RhaiMap =>
  RhaiMap.of(
    new Map<string, Value>([
      ["docs", new RhaiArray(shown)],
      ["next_cursor", nextCursor],
    ]),
  );
