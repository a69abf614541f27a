import { InvalidArgumentError, Option, type Command } from "commander";
import { path } from "../client/api.ts";
import { mailExample } from "../client/mail-example.ts";
import { scriptId } from "../client/names.ts";
import { appCommand, collect, count, type AppFlag } from "../client/options.ts";
import type { Printer } from "../client/printer.ts";
import { openSession, type Session } from "../client/session.ts";

/** The members of a trigger that the command line uses. */
interface Trigger {
  readonly id: string;
  readonly script_name: string;
  readonly kind: string;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly ordering: string | null;
  readonly transactional: boolean;
  readonly paused_until: string | null;
  readonly last_fired_at: string | null;
  readonly last_status: string | null;
  readonly details: Readonly<Record<string, unknown>>;
  /** Of e-mail, when it was made just now. */
  readonly inbound_secret?: string;
  readonly warnings?: readonly { readonly message: string }[];
}

interface AddFlags extends AppFlag {
  readonly collection?: string;
  readonly op?: readonly string[];
  readonly topic?: string;
  readonly schedule?: string;
  readonly timezone?: string;
  readonly missed?: string;
  readonly overlap?: string;
  readonly startDeadline?: number;
  readonly source?: string;
  readonly trigger?: string;
  readonly failed?: string;
  readonly attempts?: number;
  readonly backoff?: string;
  readonly baseMs?: number;
  readonly ordering?: string;
  readonly transactional?: boolean;
  readonly disabled?: boolean;
  /** False: --no-secret. */
  readonly secret: boolean;
}

const COLUMNS = [
  "kind",
  "script",
  "about",
  "enabled",
  "disabled_reason?",
  "paused_until?",
  "last_fired_at?",
  "last_status?",
  "id!",
];

/** What the API takes for a pause that somebody must end. */
const NO_END = "9999-12-31T23:59:59Z";

/** `picloud triggers`: what calls an app's scripts when something happens. */
export function define(command: Command): void {
  appCommand(command, "ls", "list what calls an app's scripts").action(
    async (flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(COLUMNS, (await api.get<readonly Trigger[]>(path`/apps/${flags.app}/triggers`)).map(shown));
    },
  );
  appCommand(
    command,
    "add <kind> <script>",
    "have a script called: by kv, docs, cron, pubsub, email or dead_letter",
  )
    .option("--collection <glob>", "of kv and docs: a collection, a prefix such as logs:*, or *")
    .option("--op <op>", "of kv and docs: what must have happened; may be repeated", collect)
    .option("--topic <pattern>", "of pubsub: a topic, a prefix such as orders.*, or *")
    .option("--schedule <fields>", "of cron: six fields, seconds first")
    .option("--timezone <zone>", "of cron: such as Europe/Vienna")
    .addOption(
      new Option("--missed <policy>", "of cron: what was missed while PiCloud was off").choices([
        "skip",
        "once",
        "all",
      ]),
    )
    .addOption(
      new Option("--overlap <policy>", "of cron: when the run before has not ended").choices([
        "allow",
        "skip",
        "queue",
      ]),
    )
    .option("--start-deadline <seconds>", "of cron: a firing that is later is dropped", count)
    .option("--no-secret", "of email: whoever knows the path may post, without a signature")
    .option("--source <kind>", "of dead_letter: only for failed deliveries of this kind")
    .option("--trigger <id>", "of dead_letter: only for those of this trigger")
    .option("--failed <script>", "of dead_letter: only for those to this script")
    .option("--attempts <n>", "attempts in all", count)
    .addOption(
      new Option("--backoff <kind>", "how waits grow").choices(["exponential", "linear", "constant"]),
    )
    .option("--base-ms <n>", "the first wait, in milliseconds", count)
    .addOption(
      new Option("--ordering <what>", "events of one key, document or topic one after the other").choices([
        "key",
      ]),
    )
    .option("--transactional", "all that a run does happens as one with the end of its event, or not at all")
    .option("--disabled", "leave it disabled")
    .action(async (kind: string, script: string, flags: AddFlags, self: Command) => {
      const { api, print } = openSession(self);
      const { app } = flags;
      const said = {
        script_id: await scriptId(api, app, script),
        collection_glob: flags.collection,
        ops: flags.op,
        topic_pattern: flags.topic,
        schedule: flags.schedule,
        timezone: flags.timezone,
        missed: flags.missed,
        overlap: flags.overlap,
        start_deadline_seconds: flags.startDeadline,
        inbound_secret: flags.secret ? undefined : null,
        source_filter: flags.source,
        trigger_id_filter: flags.trigger,
        script_id_filter: flags.failed === undefined ? undefined : await scriptId(api, app, flags.failed),
        retry_max_attempts: flags.attempts,
        retry_backoff: flags.backoff,
        retry_base_ms: flags.baseMs,
        ordering: flags.ordering,
        transactional: flags.transactional,
        enabled: flags.disabled === true ? false : undefined,
      };
      const made = await api.post<Trigger>(path`/apps/${app}/triggers/${kind}`, said);
      printMade({ api, print }, made);
    });
  appCommand(
    command,
    "new-secret <trigger>",
    "of email: make another secret, and print it, this once",
  ).action(async (id: string, flags: AppFlag, self: Command) => {
    const session = openSession(self);
    const target = path`/apps/${flags.app}/triggers/${id}`;
    printMade(session, await session.api.patch<Trigger>(target, { new_inbound_secret: true }));
  });
  appCommand(command, "run <trigger>", "call a trigger's script now, and print the id of its run")
    .option("--event <json>", 'what the script gets as ctx.event, such as \'{"op": "insert"}\'', event)
    .action(async (id: string, flags: AppFlag & { readonly event?: object }, self: Command) => {
      const { api, print } = openSession(self);
      const target = path`/apps/${flags.app}/triggers/${id}:run`;
      print.one(await api.post<object>(target, flags.event === undefined ? {} : { event: flags.event }));
    });
  appCommand(command, "rm <trigger>", "delete a trigger, and what it has waiting").action(
    async (id: string, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      await api.remove(path`/apps/${flags.app}/triggers/${id}`);
      print.note(`Deleted the trigger ${id}.`);
    },
  );
  appCommand(command, "pause <trigger>", "let what happens wait, until then or until it is resumed")
    .option("--until <time>", "when it resumes by itself, such as 2026-12-24T18:00:00Z", NO_END)
    .action(async (id: string, flags: AppFlag & { readonly until: string }, self: Command) => {
      await change(id, flags.app, { paused_until: flags.until }, self);
    });
  appCommand(command, "resume <trigger>", "end the pause of a trigger: what waited is delivered").action(
    async (id: string, flags: AppFlag, self: Command) => {
      await change(id, flags.app, { paused_until: null }, self);
    },
  );
  for (const [verb, enabled] of [
    ["enable", true],
    ["disable", false],
  ] as const) {
    appCommand(command, `${verb} <trigger>`, `${verb} a trigger`).action(
      async (id: string, flags: AppFlag, self: Command) => {
        await change(id, flags.app, { enabled }, self);
      },
    );
  }
}

function event(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Told below.
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new InvalidArgumentError('It must be a JSON object, such as {"op": "insert"}.');
}

/** A trigger with what is never shown again, and how it is used. */
function printMade({ api, print }: Session, made: Trigger): void {
  const secret = made.inbound_secret ?? null;
  warn(made, print);
  print.rows(secret === null ? COLUMNS : [...COLUMNS, "inbound_secret!"], [shown(made)]);
  if (made.kind !== "email") return;
  const signedWith = made.details["has_inbound_secret"] === true ? (secret ?? "SECRET") : null;
  if (secret !== null) print.note("Keep inbound_secret somewhere safe: it is not shown again.");
  print.note(
    `A message is posted like this:\n${mailExample(`${api.url}${String(made.details["inbound_path"])}`, signedWith)}`,
  );
}

async function change(id: string, app: string, body: object, self: Command): Promise<void> {
  const { api, print } = openSession(self);
  const changed = await api.patch<Trigger>(path`/apps/${app}/triggers/${id}`, body);
  warn(changed, print);
  print.rows(COLUMNS, [shown(changed)]);
}

function warn({ warnings = [] }: Trigger, print: Printer): void {
  for (const { message } of warnings) print.note(`warning: ${message}`);
}

const shown = (trigger: Trigger) => {
  const { kind: _kind, next_runs: _next, has_inbound_secret: isSigned, ...about } = trigger.details;
  return {
    ...trigger,
    script: trigger.script_name,
    about: [
      ...Object.values(about).flat(),
      isSigned === false ? "unsigned" : null,
      trigger.ordering === null ? null : `by ${trigger.ordering}`,
      trigger.transactional ? "transactional" : null,
    ]
      .filter((value) => value !== null)
      .join(" "),
  };
};
