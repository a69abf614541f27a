import { Type } from "@sinclair/typebox";
import {
  MISSED_POLICIES,
  nextFiring,
  nextFirings,
  OVERLAP_POLICIES,
  parseCron,
  type Cron,
} from "../../../services/cron/index.ts";
import { AppError } from "../../../shared/errors.ts";
import { triggerKind } from "./kind.ts";

/** Instants that are told ahead (CONTRACT 0.14). */
const NEXT_RUNS = 5;

const oneOf = <T extends string>(values: readonly T[], what: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description: `${what}: ${values.join(", ")}` },
  );
const Missed = oneOf(MISSED_POLICIES, "what becomes of firings that were missed");
const Overlap = oneOf(OVERLAP_POLICIES, "what happens when the run before has not ended");
const Deadline = Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
  description: "seconds after which a firing is dropped, or null",
});

/** Times. */
export const cron = triggerKind({
  name: "cron",
  fields: {
    schedule: Type.String({
      maxLength: 256,
      description: "six fields, seconds first, such as 0 30 2 * * MON-FRI, or a shortcut such as @daily",
    }),
    timezone: Type.Optional(
      Type.String({ maxLength: 64, description: "a time zone's name, such as Europe/Berlin; default: UTC" }),
    ),
    missed: Type.Optional(Missed),
    overlap: Type.Optional(Overlap),
    start_deadline_seconds: Type.Optional(Deadline),
  },
  shown: {
    schedule: Type.String(),
    timezone: Type.String(),
    missed: Missed,
    overlap: Overlap,
    start_deadline_seconds: Deadline,
    next_runs: Type.Array(Type.String()),
  },
  keep(fields, now) {
    const { details, schedule } = parseCron(fields);
    const next = nextFiring(schedule, now.getTime());
    // The scheduler looks for the next firing of those that have none, but for those that are known to have ended.
    return {
      pattern: "*",
      ops: [],
      details: next === null ? { ...details, ended: true } : { ...details },
      next_at: next === null ? null : new Date(next),
    };
  },
  show({ details, next_at: next }) {
    const read = readable(details);
    // One that cannot be read any more has been disabled, and is shown as it was kept.
    if (read === null) return { ...details, next_runs: [] };
    const instants =
      next === null ? [] : [next.getTime(), ...nextFirings(read.schedule, next.getTime(), NEXT_RUNS - 1)];
    return { ...read.details, next_runs: instants.map((at) => new Date(at).toISOString()) };
  },
});

function readable(details: Readonly<Record<string, unknown>>): Cron | null {
  try {
    return parseCron(details);
  } catch (error) {
    if (error instanceof AppError) return null;
    throw error;
  }
}
