import { parseJson, RhaiArray, RhaiMap, type Value } from "../../../rhai/index.ts";
import { pickFields, type Doc, type Path } from "../../../services/docs/index.ts";

/** A document as scripts see it; what its author wrote is under `data` alone. */
export function envelope(
  { id, data: json, created_at, updated_at }: Doc,
  select: readonly Path[] | null,
): RhaiMap {
  const whole = parseJson(json);
  return RhaiMap.of(
    new Map<string, Value>([
      ["id", id],
      ["data", select === null ? whole : pickFields(whole, select)],
      ["created_at", created_at.toISOString()],
      ["updated_at", updated_at.toISOString()],
    ]),
  );
}

/** A page of documents. @param nextCursor undefined: it is the last one */
export const pageOf = (shown: RhaiMap[], nextCursor: string | undefined): RhaiMap =>
  RhaiMap.of(
    new Map<string, Value>([
      ["docs", new RhaiArray(shown)],
      ["next_cursor", nextCursor],
    ]),
  );
