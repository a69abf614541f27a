import { Type } from "@sinclair/typebox";
import { isUuid } from "../../../shared/ids.ts";
import { invalid } from "../../../shared/errors.ts";
import { triggerKind } from "./kind.ts";

const FILTERS = ["source_filter", "trigger_id_filter", "script_id_filter"] as const;

const nullable = (description: string) =>
  Type.Optional(Type.Union([Type.String({ maxLength: 64 }), Type.Null()], { description }));
const Shown = Type.Union([Type.String(), Type.Null()]);

/** Deliveries that failed for the last time. */
export const deadLetter = triggerKind({
  name: "dead_letter",
  fields: {
    source_filter: nullable("a kind such as kv or http, or null for all"),
    trigger_id_filter: nullable("a trigger's id, or null for all"),
    script_id_filter: nullable("a script's id, or null for all"),
  },
  shown: { source_filter: Shown, trigger_id_filter: Shown, script_id_filter: Shown },
  keep(fields) {
    const details: Record<string, string> = {};
    for (const name of FILTERS) {
      const value = fields[name];
      if (value === undefined || value === null) continue;
      if (!(name === "source_filter" ? /^[a-z_]+$/.test(value) : isUuid(value))) {
        throw invalid("validation", `${name}: not acceptable; expected ${EXPECTED[name]}.`, {
          details: { field: name },
        });
      }
      details[name] = value.toLowerCase();
    }
    return { pattern: "*", ops: [], details, next_at: null };
  },
  show: ({ details }) => Object.fromEntries(FILTERS.map((name) => [name, details[name] ?? null])),
});

const EXPECTED = {
  source_filter: "a kind such as kv or http",
  trigger_id_filter: "a trigger's id",
  script_id_filter: "a script's id",
};
