/** When cron triggers fire: schedules, time zones, what was missed. */
export { nextFiring, nextFirings } from "./firings.ts";
export { cronEvent, fireDue, type FiredBatch } from "./fire.ts";
export { MISSED_POLICIES, OVERLAP_POLICIES, planFirings, type Firing, type FiringPolicy } from "./plan.ts";
export { announceCron, nextDue } from "./queries.ts";
export { rehearse, type Outage, type Rehearsed } from "./rehearsal.ts";
export { parseSchedule, type Schedule } from "./schedule.ts";
export { parseCron, type Cron, type CronDetails, type CronInput } from "./settings.ts";
export { offsetAt } from "./zone.ts";
