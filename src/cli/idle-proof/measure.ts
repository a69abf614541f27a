import { withDatabase, type ConnectionTarget } from "../../database/target.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { ALLOWANCE, BUDGET, type Finding } from "./budget.ts";
import { lookAt, sentBetween, type Look, type Sent } from "./database.ts";
import { commandLineOf, memoryOf, usageOf, usedBetween, type Used } from "./processes.ts";
import { connectionsAmong, httpConnections, postgresOf } from "./server.ts";

export interface Subject {
  /** PiCloud's process. */
  readonly server: number;
  readonly target: ConnectionTarget;
  /** Whether the database is PiCloud's own, so that its processes are measured with it. */
  readonly embedded: boolean;
}

export interface Measured {
  readonly findings: readonly Finding[];
  /** What to know when reading them. */
  readonly notes: readonly string[];
  /** Whether it was PostgreSQL alone that worked, tidying up after what had happened before: that ends by itself. */
  readonly tidied: boolean;
}

const STEP_MS = 2000;
/** Unused connections close after ten seconds, and memory is given back ten to twenty seconds after the last run. */
const QUIET_STEPS = 11;
/** More in a step is work. */
const QUIET_CPU_MS = 8;
const LONGEST_WAIT_MS = 60_000;
/** For what a look left in PostgreSQL. */
const PASSING_MS = 1500;

/**
 * Waits until a server has come to rest, at most a minute.
 * @param say told what keeps it from resting, each time that is something else
 * @returns why it is not at rest; empty: it is
 */
export async function untilAtRest(subject: Subject, say: (text: string) => void): Promise<readonly string[]> {
  const end = performance.now() + LONGEST_WAIT_MS;
  let quiet = 0;
  let said = "";
  let reasons: readonly string[] = [];
  while (quiet < QUIET_STEPS) {
    if (performance.now() > end) return reasons;
    const before = usageOf(all(subject));
    await Bun.sleep(STEP_MS);
    const used = usedBetween(before, usageOf(all(subject)));
    reasons = [...openConnections(subject), ...busyness(subject, used)];
    quiet = reasons.length === 0 ? quiet + 1 : 0;
    // What is busy is a figure that changes all the time.
    const kind = reasons.join(", ").replaceAll(/\d+/g, "#");
    if (kind !== said && reasons.length > 0)
      say(`Waiting for the server to come to rest: ${reasons.join(", ")}`);
    said = kind;
  }
  return [];
}

const all = ({ server, embedded }: Subject): number[] => [server, ...(embedded ? postgresOf(server) : [])];

function openConnections({ server, embedded }: Subject): string[] {
  const http = httpConnections(server);
  const sql = embedded ? connectionsAmong(postgresOf(server)).length : 0;
  return [
    ...(http > 0 ? [`clients have ${counted(http, "HTTP connection")} open`] : []),
    ...(sql > 0 ? [`PiCloud has ${counted(sql, "connection")} to its database open`] : []),
  ];
}

function busyness(subject: Subject, { contextSwitches, cpuMs }: Used): string[] {
  const perSecond = contextSwitches / (STEP_MS / 1000);
  const rest = 2 * (ownSwitches(subject) + BUDGET.postgresSwitchesPerSecond);
  return perSecond > rest || cpuMs > QUIET_CPU_MS
    ? [`it is at work (${Math.round(perSecond)} context switches a second)`]
    : [];
}

const ownSwitches = ({ embedded }: Subject): number =>
  embedded ? BUDGET.switchesPerSecond : BUDGET.switchesPerSecondWithSockets;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** Measures for some seconds. Nothing of ours happens in that time: the looks at the database are before and after. */
export async function measure(subject: Subject, seconds: number): Promise<Measured> {
  const { server, target, embedded } = subject;
  // Ours are in another database, and so not among those that are counted.
  const [where, database] = embedded
    ? [withDatabase(target, "postgres"), target.kind === "socket" ? target.database : null]
    : [target, null];
  const look = (since: string | null): Promise<Look> => lookAt(where, database, since);
  // The first one leaves marks in the catalog's pages, which are WAL.
  await look(null);
  await Bun.sleep(PASSING_MS);
  const before = await look(null);
  await Bun.sleep(PASSING_MS);
  const usage = usageOf([server]);
  const family = embedded ? postgresOf(server) : [];
  const postgresUsage = usageOf(family);
  const startedAt = performance.now();
  await Bun.sleep(seconds * 1000);
  const ownAfter = usageOf([server]);
  if (!ownAfter.processes.has(server))
    throw new CommandError(`Process ${server} ended while it was measured.`, EXIT.usage);
  const own = usedBetween(usage, ownAfter);
  const postgres = embedded ? postgresOf(server) : [];
  const ofPostgres = usedBetween(postgresUsage, usageOf(postgres));
  const elapsed = (performance.now() - startedAt) / 1000;
  const connections = openConnections(subject);
  // It wakes up for nothing else than to send a worker out.
  const launcher = family.filter((pid) => commandLineOf(pid).includes("autovacuum launcher"));
  const autovacuum = usedBetween(postgresUsage, usageOf(launcher)).contextSwitches > 0;
  const memory = { own: memoryOf([server]).resident, postgres: memoryOf(postgres).private };
  const sent = sentBetween(before, await look(before.at), !embedded);
  return {
    tidied: autovacuum && sent.statements === 0,
    findings: findings(subject, { own, ofPostgres, memory, sent, autovacuum, elapsed }),
    notes: [
      ...connections,
      ...(sent.checkpoint
        ? ["a checkpoint of PostgreSQL fell into the time, which the budget allows for"]
        : []),
      ...(autovacuum ? ["PostgreSQL's autovacuum came by, which the budgets allow for"] : []),
      ...(sent.shared
        ? [
            "others work in this database: of PiCloud's statements only the last of each open connection were seen",
          ]
        : []),
    ],
  };
}

function findings(
  subject: Subject,
  figures: {
    readonly own: Used;
    readonly ofPostgres: Used;
    /** Bytes. */
    readonly memory: { readonly own: number; readonly postgres: number };
    readonly sent: Sent;
    readonly autovacuum: boolean;
    /** Seconds. */
    readonly elapsed: number;
  },
): Finding[] {
  const { own, ofPostgres, memory, sent, autovacuum, elapsed } = figures;
  const { embedded } = subject;
  const finding = (name: string, measured: number, unit: string, budget: number | null): Finding => ({
    name,
    measured: rounded(measured),
    unit,
    budget,
  });
  const cpu = ((own.cpuMs + ofPostgres.cpuMs) / 1000 / elapsed) * 100;
  const wal = sent.checkpoint ? ALLOWANCE.checkpointWalBytes : BUDGET.walBytes;
  const cpuBudget = embedded ? BUDGET.cpuPercent : BUDGET.cpuPercentWithSockets;
  const allowed = (budget: number, allowance: number): number =>
    autovacuum ? rounded(Math.max(budget, allowance / elapsed)) : budget;
  return [
    finding("SQL statements", sent.statements, "", BUDGET.statements),
    finding(embedded ? "WAL" : "WAL of the whole server", sent.walBytes, "bytes", embedded ? wal : null),
    finding("CPU", cpu, "% of one core", allowed(cpuBudget, ALLOWANCE.autovacuumCpuMs / 10)),
    finding("context switches of PiCloud", own.contextSwitches / elapsed, "a second", ownSwitches(subject)),
    ...(embedded
      ? [
          finding(
            "context switches of PostgreSQL",
            ofPostgres.contextSwitches / elapsed,
            "a second",
            allowed(BUDGET.postgresSwitchesPerSecond, ALLOWANCE.autovacuumSwitches),
          ),
        ]
      : []),
    finding("memory of PiCloud", memory.own / 1e6, "MB", BUDGET.residentMB),
    ...(embedded
      ? [finding("private memory of PostgreSQL", memory.postgres / 1e6, "MB", BUDGET.postgresPrivateMB)]
      : []),
  ];
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
