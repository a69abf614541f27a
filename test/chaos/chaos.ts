import type { Database } from "../../src/database/client.ts";
import { chance } from "./chance.ts";
import { kill, KILLS, type Kill } from "./kills.ts";
import { startLoad } from "./load.ts";
import { recovery, startSubject, type Recovery, type Subject } from "./subject.ts";
import { judge, type Verdict } from "./verdict.ts";
import { deploy } from "./workload.ts";

export interface ChaosOptions {
  readonly seed: number;
  readonly kills: number;
  /** Told how each kill went. */
  readonly onProgress: (line: string) => void;
  /** Kills in this order, instead of at random. */
  readonly only?: readonly Kill[];
  /** What a recovery may take. Default: RECOVERY_MS. */
  readonly mostRecoveryMs?: number;
}

export interface ChaosReport extends Verdict {
  readonly recoveries: readonly (Recovery & { readonly how: Kill })[];
  /** What the servers wrote at level error, without what the kills explain. */
  readonly output: string;
}

/** From the restart to the first answer and to the first event that was handled. */
export const RECOVERY_MS = 5000;
/** Then it is given up: something is broken. */
const GIVEN_UP_MS = 30_000;
const CLIENTS = 6;
/** Between a recovery and the next kill. */
const PAUSE_MS = [200, 1800] as const;
/** For what waits in the outbox when all is over: attempts of what fails each time included. */
const DRAIN_MS = 60_000;
/** How often it is told what waits. */
const TELL_MS = 5000;

/** Kills a PiCloud under load, again and again, and judges what is left. */
export async function runChaos({
  seed,
  kills,
  onProgress,
  only,
  mostRecoveryMs = RECOVERY_MS,
}: ChaosOptions): Promise<ChaosReport> {
  const plan = chance(seed);
  const subject = await startSubject();
  try {
    await deploy(subject.client);
    const load = startLoad(subject.url, CLIENTS, chance(seed + 1));
    const recoveries: ChaosReport["recoveries"][number][] = [];
    const late: string[] = [];
    let killed = 0;
    try {
      await Bun.sleep(1000);
      for (let round = 0; round < kills; round++) {
        await Bun.sleep(plan.between(...PAUSE_MS));
        const how = only?.[round % only.length] ?? plan.pick(KILLS);
        const since = await kill(how, subject, plan);
        killed += how.startsWith("server") ? (how === "server, starting" ? 2 : 1) : 0;
        const recovered = await recovery(subject.url, since, GIVEN_UP_MS);
        const told = `${String(round + 1).padStart(String(kills).length)}/${kills} ${how.padEnd(22)}`;
        if (recovered === null) {
          onProgress(`${told} did not recover`);
          late.push(`kill ${round + 1} (${how}): not within ${GIVEN_UP_MS / 1000} s`);
          break;
        }
        const { answeredMs, handledMs } = recovered;
        recoveries.push({ ...recovered, how });
        if (Math.max(answeredMs, handledMs) > mostRecoveryMs)
          late.push(`kill ${round + 1} (${how}): ${(handledMs / 1000).toFixed(1)} s`);
        onProgress(
          `${told} first answer ${ms(answeredMs)}, first event ${ms(handledMs)}; ` +
            `${load.accepted.size} accepted, ${load.unknown.size} unknown`,
        );
      }
    } finally {
      await load.stop();
    }
    const left = await drained(subject, onProgress);
    if (left > 0) onProgress(`${left} deliveries still wait after ${DRAIN_MS / 1000} s`);
    const verdict = await subject.query((db) => judge(db, load));
    const violations = [...verdict.violations];
    if (late.length > 0) violations.push({ rule: "slow recovery", evidence: late, count: late.length });
    const ends = subject.starts() - 1 - killed;
    if (ends > 0) violations.push({ rule: "PiCloud ended by itself", evidence: [], count: ends });
    return { ...verdict, violations, recoveries, output: subject.output() };
  } finally {
    await subject.remove();
  }
}

const ms = (value: number): string => `${value.toFixed(0)} ms`;

interface Waiting {
  readonly what: string;
  readonly claimed: boolean;
  readonly count: number;
  readonly attempts: number;
  /** Seconds until the first of them is. */
  readonly due: number;
}

/** Waits until nothing is left to be delivered. @returns what is left all the same */
async function drained(subject: Subject, onProgress: ChaosOptions["onProgress"]): Promise<number> {
  const end = performance.now() + DRAIN_MS;
  return subject.query(async (db: Database) => {
    // Otherwise there is something new each second.
    await db`update triggers set next_at = now() + interval '1 day' where kind = 'cron'`;
    for (let told = performance.now(); ;) {
      const rows = await db<Waiting[]>`
        select o.source_kind || ' for ' || s.name as what, claimed_by is not null as claimed, count(*)::int as count,
          max(attempt_count) as attempts, extract(epoch from min(due_at) - now())::float8 as due
        from outbox o join scripts s on s.app_id = o.app_id and s.id = o.script_id group by 1, 2 order by 1, 2`;
      const count = rows.reduce((sum, row) => sum + row.count, 0);
      if (count === 0 || performance.now() > end) return count;
      if (performance.now() - told > TELL_MS) {
        told = performance.now();
        for (const { what, claimed, count: some, attempts, due } of rows)
          onProgress(
            `  ${some} of ${what} ${claimed ? "under way" : "wait"}, attempts ${attempts}, due in ${due.toFixed(1)} s`,
          );
      }
      await Bun.sleep(100);
    }
  });
}
