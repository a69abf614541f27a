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
      const body = { ...asSent(fields), script_id: ids.get(script) ?? "" };
      return noteOf(name, await api.post<SavedTrigger>(path`/apps/${app}/triggers/${kind}`, body));
    });
  }
  const changes = differences(asKept(kind, fields), { ...before, ...before.details });
  return step("trigger", name, changes, async (api) =>
    noteOf(name, await api.patch<SavedTrigger>(path`/apps/${app}/triggers/${before.id}`, asSent(fields))),
  );
}

interface SavedTrigger {
  readonly details: Readonly<Record<string, unknown>>;
  /** Of e-mail: made just now. */
  readonly inbound_secret?: string;
  readonly warnings?: readonly { readonly message: string }[];
}

/** Undefined: there is nothing to tell. */
function noteOf(name: string, saved: SavedTrigger): string | undefined {
  const { inbound_secret: secret, warnings = [] } = saved;
  const notes = [
    ...(secret === undefined ? [] : [secretNote(name, saved)]),
    ...warnings.map(({ message }) => `trigger ${name}: warning: ${message}`),
  ];
  return notes.length === 0 ? undefined : notes.join("\n");
}

const secretNote = (name: string, { details, inbound_secret }: SavedTrigger): string =>
  `The trigger ${name} takes messages at ${String(details["inbound_path"])}, signed with the secret ${inbound_secret}. ` +
  "Keep it somewhere safe: it is not shown again.";

/** Fields for the API. A manifest says of a secret only that there is none. */
const asSent = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  fields["inbound_secret"] === false ? { ...fields, inbound_secret: null } : fields;

/** Fields as the server shows them, which is not always how they were given. */
function asKept(kind: string, fields: Readonly<Record<string, unknown>>): object {
  if (kind === "email") {
    const { inbound_secret: secret, ...rest } = fields;
    return secret === undefined ? rest : { ...rest, has_inbound_secret: false };
  }
  if (kind !== "cron") return fields;
  const { schedule, timezone = "UTC", ...rest } = fields;
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
