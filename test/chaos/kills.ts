import type { Chance } from "./chance.ts";
import type { Subject } from "./subject.ts";
import { json } from "./workload.ts";

/** Ways to die. */
export const KILLS = {
  /** The process of PiCloud. */
  server: 30,
  /** The same, and again while it starts. */
  "server, starting": 8,
  /** PostgreSQL's own process, as when the machine has no memory left. */
  postmaster: 18,
  "server and postmaster": 6,
  /** A process of one connection: PostgreSQL then ends all others and recovers. */
  backend: 14,
  /** A connection that the server ends. */
  connection: 10,
  /** A script that never ends: the watchdog ends its worker, and what else is under way there. */
  "worker, by a loop": 9,
  "worker, by memory": 5,
} as const;
export type Kill = keyof typeof KILLS;

/** How long after its start a server is killed again, in milliseconds. */
const STARTING_MS = [20, 700] as const;

/**
 * Kills.
 * @returns since when there may be a recovery, by `performance.now()`: from the start of the server that comes after, or
 *   from the killing when the server goes on
 */
export async function kill(how: Kill, subject: Subject, chance: Chance): Promise<number> {
  const { client } = subject;
  switch (how) {
    case "server":
      return killServer(subject);
    case "server, starting":
      await killServer(subject);
      await Bun.sleep(chance.between(...STARTING_MS));
      return killServer(subject);
    case "server and postmaster":
      process.kill(subject.postmasterPid(), "SIGKILL");
      return killServer(subject);
    case "postmaster":
      process.kill(subject.postmasterPid(), "SIGKILL");
      return performance.now();
    case "backend": {
      const [pid] = await backends(subject, chance);
      if (pid !== undefined) process.kill(pid, "SIGKILL");
      return performance.now();
    }
    case "connection": {
      const pids = await backends(subject, chance);
      await subject.query((db) => db`select pg_terminate_backend(pid) from unnest(${pids}::int[]) as pid`);
      return performance.now();
    }
    case "worker, by a loop":
    case "worker, by memory": {
      const path = how === "worker, by a loop" ? "/loop" : "/bomb";
      await client.fetch(path, json("POST", {}));
      return performance.now();
    }
  }
}

async function killServer(subject: Subject): Promise<number> {
  const ended = subject.ended();
  process.kill(subject.pid(), "SIGKILL");
  await ended;
  return performance.now();
}

/** Process ids of some connections of PiCloud's, in any order. */
async function backends(subject: Subject, chance: Chance): Promise<number[]> {
  const rows = await subject.query(
    (db) =>
      db<{ pid: number }[]>`
        select pid from pg_stat_activity where application_name like 'picloud%' order by application_name, pid`,
  );
  const shuffled = rows.map(({ pid }) => ({ pid, at: chance.next() })).toSorted((a, b) => a.at - b.at);
  return shuffled.slice(0, 3).map(({ pid }) => pid);
}
