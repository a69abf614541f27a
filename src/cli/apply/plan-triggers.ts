import { parseSchedule } from "../../services/cron/index.ts";
import { path } from "../client/api.ts";
import type { TriggerEntry } from "./manifest.ts";
import type { Remote, RemoteTrigger } from "./remote.ts";
import { differences, removal, step, type Step } from "./step.ts";

/** What tells triggers of a kind and a script apart; all else of one may change. */
const WHAT = [
  "collection_glob",
  "topic_pattern",
  "source_filter",
  "trigger_id_filter",
  "script_id_filter",
] as const;

export interface TriggerSteps {
  /** Of triggers that the manifest does not have. */
  readonly extra: readonly Step[];
  readonly wanted: readonly Step[];
}

/** @param entries null: the manifest says nothing about triggers */
export function triggerSteps(
  app: string,
  entries: readonly TriggerEntry[] | null,
  remote: Remote | null,
  prune: boolean,
): TriggerSteps {
  const left = new Set(remote?.triggers ?? []);
  const wanted = (entries ?? []).map((entry) => {
    const before = [...left].find((trigger) => isSame(entry, trigger));
    if (before !== undefined) left.delete(before);
    return triggerStep(app, entry, before);
  });
  const extra = entries === null ? [] : [...left];
  return {
    wanted,
    extra: extra.map((trigger) =>
      removal(
        "trigger",
        nameOf(trigger.kind, trigger.script_name, trigger.details),
        prune,
        path`/apps/${app}/triggers/${trigger.id}`,
      ),
    ),
  };
}

function triggerStep(app: string, entry: TriggerEntry, before: RemoteTrigger | undefined): Step {
  const { script, kind, ...fields } = entry;
  const name = nameOf(kind, script, fields);
  if (before === undefined) {
    return step("trigger", name, null, async (api, ids) => {
      await api.post(path`/apps/${app}/triggers/${kind}`, { ...fields, script_id: ids.get(script) ?? "" });
    });
  }
  const changes = differences(kind === "cron" ? asKept(fields) : fields, { ...before, ...before.details });
  return step("trigger", name, changes, async (api) => {
    await api.patch(path`/apps/${app}/triggers/${before.id}`, fields);
  });
}

/** A schedule as the server writes it, which is not always how it was given. */
function asKept({ schedule, timezone = "UTC", ...rest }: Readonly<Record<string, unknown>>) {
  const kept = parseSchedule(String(schedule), String(timezone));
  return { ...rest, schedule: kept.text, timezone: kept.timezone };
}

const isSame = (entry: TriggerEntry, { kind, script_name, details }: RemoteTrigger): boolean =>
  entry.kind === kind &&
  entry.script === script_name &&
  WHAT.every((name) => (entry[name] ?? null) === (details[name] ?? null));

const nameOf = (kind: string, script: string, fields: Readonly<Record<string, unknown>>): string => {
  const what = fields["collection_glob"] ?? fields["topic_pattern"] ?? fields["schedule"];
  return `${kind}${what === undefined ? "" : ` ${String(what)}`} for ${script}`;
};
