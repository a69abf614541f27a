import { InvalidArgumentError, Option, type Command } from "commander";
import {
  MISSED_POLICIES,
  offsetAt,
  OVERLAP_POLICIES,
  parseCron,
  rehearse,
  type Cron,
  type CronInput,
  type Outage,
  type Rehearsed,
} from "../../services/cron/index.ts";
import { path, type Api } from "../client/api.ts";
import { count } from "../client/options.ts";
import { firstOf } from "../client/pages.ts";
import { createPrinter } from "../client/printer.ts";
import { openSession, type GlobalFlags } from "../client/session.ts";
import { AppError } from "../../shared/errors.ts";
import { CommandError, usageError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

interface RehearseFlags extends GlobalFlags {
  readonly days: number;
  readonly app: string;
  readonly from?: number;
  readonly down?: readonly Outage[];
  readonly schedule?: string;
  readonly timezone?: string;
  readonly missed?: string;
  readonly overlap?: string;
  readonly startDeadline?: number;
  readonly duration?: number;
}

/** Of a trigger, what the rehearsal needs. */
interface Rehearsable {
  readonly script: string;
  readonly cron: Cron;
  readonly durationMs: number | null;
  readonly pausedUntil: number | null;
}

/** The members of an app that are looked at. */
interface App {
  readonly paused: boolean;
  readonly paused_until: string | null;
}

/** The members of a trigger that are looked at. */
interface Trigger {
  readonly kind: string;
  readonly enabled: boolean;
  readonly script_id: string;
  readonly script_name: string;
  readonly paused_until: string | null;
  readonly details: CronInput;
}

const DAY_MS = 86_400_000;
const MOST_DAYS = 366;
/** Runs whose longest is taken for how long the next ones will take. */
const LAST_RUNS = 5;

/** `picloud rehearse`: every firing of the days to come, without running anything. */
export function define(command: Command): void {
  command
    .description(
      "Shows when cron triggers will fire, with what happens when clocks are set, runs overlap or PiCloud is off. " +
        "Nothing is run. With --schedule no server is asked.",
    )
    .option("--app <app>", "whose triggers, by slug or id", "default")
    .option("--days <n>", "how many days", days, 30)
    .option("--from <time>", "the first moment, such as 2026-03-28T00:00:00Z; default: now", instant)
    .option("--down <from/to>", "PiCloud is off from one time to another; may be repeated", outage)
    .option("--schedule <schedule>", "this schedule, rather than those of the server's triggers")
    .option("--timezone <zone>", "with --schedule: its time zone, such as Europe/Berlin; default: UTC")
    .addOption(new Option("--missed <policy>", "with --schedule: what was missed").choices(MISSED_POLICIES))
    .addOption(
      new Option("--overlap <policy>", "with --schedule: runs that overlap").choices(OVERLAP_POLICIES),
    )
    .option("--start-deadline <seconds>", "with --schedule: a firing that is later is dropped", count)
    .option("--duration <seconds>", "how long a run takes; default: the longest of the last ones", count)
    .action(async (flags: RehearseFlags, self: Command) => {
      const { print, triggers } = await triggersOf(flags, self);
      const from = flags.from ?? Date.now();
      const to = from + flags.days * DAY_MS;
      const rows = triggers.flatMap((trigger) => rowsOf(trigger, flags, from, to));
      print.rows(
        ["first!", "last?", "local!", "runs!", "script", "schedule?", "note"],
        rows.toSorted((one, other) => one.first.localeCompare(other.first)),
      );
      if (rows.length === 0) print.note(`Nothing fires within ${flags.days} days.`);
    });
}

async function triggersOf(flags: RehearseFlags, self: Command) {
  if (flags.schedule !== undefined) {
    const { output } = self.optsWithGlobals<GlobalFlags>();
    return { print: createPrinter(output), triggers: [given(flags, cronOf(flags))] };
  }
  for (const name of ["timezone", "missed", "overlap", "startDeadline"] as const)
    if (flags[name] !== undefined)
      throw usageError("--timezone, --missed, --overlap and --start-deadline go with --schedule.");
  const { api, print } = openSession(self);
  const all = await api.get<readonly Trigger[]>(path`/apps/${flags.app}/triggers`);
  const wanted = all.filter(({ kind, enabled }) => kind === "cron" && enabled);
  if (wanted.length === 0) throw new CommandError(`The app ${flags.app} has no enabled cron triggers.`);
  const { paused, paused_until: pauseEnd } = await api.get<App>(path`/apps/${flags.app}`);
  if (paused && pauseEnd === null)
    print.note(`The app ${flags.app} is paused: nothing fires until it is resumed.`);
  const triggers: Rehearsable[] = [];
  for (const trigger of wanted) {
    triggers.push({
      script: trigger.script_name,
      cron: parseCron(trigger.details),
      durationMs: seconds(flags.duration) ?? (await lastDuration(api, flags.app, trigger.script_id)),
      pausedUntil: latest(trigger.paused_until, pauseEnd),
    });
  }
  return { print, triggers };
}

/** @throws CommandError 5 for what the server would refuse too */
function cronOf({ schedule, timezone, missed, overlap, startDeadline }: RehearseFlags): Cron {
  try {
    return parseCron({ schedule, timezone, missed, overlap, start_deadline_seconds: startDeadline });
  } catch (error) {
    if (error instanceof AppError) throw new CommandError(error.message, EXIT.refused);
    throw error;
  }
}

const latest = (...times: readonly (string | null)[]): number | null =>
  Math.max(...times.map((time) => (time === null ? 0 : Date.parse(time)))) || null;

const given = (flags: RehearseFlags, cron: Cron): Rehearsable => ({
  script: "",
  cron,
  durationMs: seconds(flags.duration),
  pausedUntil: null,
});

const seconds = (value: number | undefined): number | null => (value === undefined ? null : value * 1000);

/** The longest of the last runs that cron started, in milliseconds; null: there were none. */
async function lastDuration(api: Api, app: string, scriptId: string): Promise<number | null> {
  const target = path`/apps/${app}/executions?trigger=cron&script=${scriptId}`;
  const runs = await firstOf<{ readonly duration_ms: number }>(api, target, LAST_RUNS);
  return runs.length === 0 ? null : Math.max(...runs.map(({ duration_ms }) => duration_ms));
}

function rowsOf(trigger: Rehearsable, flags: RehearseFlags, from: number, to: number) {
  const { schedule, policy } = trigger.cron;
  const pause = trigger.pausedUntil === null ? [] : [{ from, to: trigger.pausedUntil }];
  const outages = [...pause, ...(flags.down ?? [])].toSorted((one, other) => one.from - other.from);
  const { durationMs } = trigger;
  return rehearse({ schedule, policy, durationMs, from, to, outages }).map((row) => ({
    first: new Date(row.first).toISOString(),
    last: new Date(row.last).toISOString(),
    local: localTime(schedule.timezone, row),
    runs: `${row.isMore ? "over " : ""}${row.runs}`,
    script: trigger.script,
    schedule: `${schedule.text} ${schedule.timezone}`,
    note: row.notes.join("; "),
  }));
}

/** In the trigger's zone: `Sun 2026-03-29 03:00:00 +02:00`; of several the day. */
function localTime(zone: string, { first, last }: Rehearsed): string {
  const offset = offsetAt(zone, first);
  const local = new Date(first + offset);
  const day = `${local.toUTCString().slice(0, 3)} ${local.toISOString().slice(0, 10)}`;
  if (first !== last) return day;
  const shift = new Date(Math.abs(offset)).toISOString().slice(11, 16);
  return `${day} ${local.toISOString().slice(11, 19)} ${offset < 0 ? "-" : "+"}${shift}`;
}

function days(text: string): number {
  const value = count(text);
  if (value > MOST_DAYS) throw new InvalidArgumentError(`At most ${MOST_DAYS} days can be rehearsed.`);
  return value;
}

function instant(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(at)) throw new InvalidArgumentError("It must be a time such as 2026-03-28T00:00:00Z.");
  return at;
}

function outage(text: string, before: readonly Outage[] = []): readonly Outage[] {
  const [from = "", to = "", ...rest] = text.split("/");
  const each = { from: instant(from), to: instant(to) };
  if (rest.length > 0 || each.from >= each.to)
    throw new InvalidArgumentError("It must be two times, the earlier first, with a / between them.");
  return [...before, each];
}
