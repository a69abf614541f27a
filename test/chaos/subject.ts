import { readFileSync } from "node:fs";
import { connect, type Database } from "../../src/database/client.ts";
import { runningTarget } from "../../src/database/embedded/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { Client, Installation, type PiCloud } from "../e2e/support/picloud.ts";
import { json, PROBE_HOST } from "./workload.ts";

type Process = Omit<PiCloud, "url" | "login">;

/** A PiCloud that is started again whenever it ends, as systemd would, at the same address. */
export interface Subject {
  readonly url: string;
  readonly client: Client;
  /** Of the server's process. */
  readonly pid: () => number;
  readonly postmasterPid: () => number;
  /** Resolves when the server that runs now has ended; the next one is being started by then. */
  readonly ended: () => Promise<void>;
  /** Starts of the server so far. */
  readonly starts: () => number;
  /** Asks the database, over a connection of its own. */
  query<T>(ask: (db: Database) => Promise<T>): Promise<T>;
  /** Everything that all of its servers wrote. */
  output(): string;
  /** Shuts it down in order. @returns the exit code */
  stop(): Promise<number>;
  /** Ends what still runs, and removes the folder. */
  remove(): Promise<void>;
}

export async function startSubject(): Promise<Subject> {
  const installation = new Installation();
  const first = await installation.serve();
  if (first.login === null) throw new Error(first.output());
  const { url, login } = first;
  let server: Process = first;
  const servers = [server];
  let stopping = false;
  let next = Promise.withResolvers<void>();

  const keepUp = async (): Promise<void> => {
    for (;;) {
      await server.exited;
      if (stopping) return;
      ({ server } = installation.start({ args: ["--listen", new URL(url).host] }));
      servers.push(server);
      next.resolve();
      next = Promise.withResolvers();
    }
  };
  const keeping = keepUp();

  return {
    url,
    client: new Client(url, login),
    pid: () => server.pid,
    postmasterPid: () =>
      Number(readFileSync(`${installation.dataDir}/postgres/data/postmaster.pid`, "utf8").split("\n")[0]),
    ended: () => next.promise,
    starts: () => servers.length,
    async query(ask) {
      const db = connect(await runningTarget(installation.dataDir), { max: 1, applicationName: "chaos" });
      try {
        return await ask(db);
      } finally {
        await db.end({ timeout: 1 });
      }
    },
    output: () => servers.map((one) => one.output()).join("\n"),
    async stop() {
      stopping = true;
      return server.stop();
    },
    async remove() {
      stopping = true;
      await installation.remove();
      await keeping;
    },
  };
}

/** How long it took until something worked again, in milliseconds. */
export interface Recovery {
  /** The first answer of a script. */
  readonly answeredMs: number;
  /** An event that was accepted since has been handled. */
  readonly handledMs: number;
}

const POLL_MS = 10;

/**
 * Asks until scripts answer and events are handled, in an app that has nothing waiting: what waits in the other one is
 * handled in its order, which takes as long as it takes.
 * @param since by `performance.now()`
 * @returns null when that takes longer than `withinMs`
 */
export async function recovery(url: string, since: number, withinMs: number): Promise<Recovery | null> {
  const end = since + withinMs;
  const until = async (what: () => Promise<boolean>): Promise<number | null> => {
    while (performance.now() < end) {
      if (await what().catch(() => false)) return performance.now() - since;
      await Bun.sleep(POLL_MS);
    }
    return null;
  };
  const ask = (path: string, init: RequestInit = {}): Promise<Response> =>
    fetch(url + path, {
      ...init,
      headers: { "Content-Type": "application/json", Host: PROBE_HOST },
      signal: AbortSignal.timeout(1000),
    });
  const answeredMs = await until(async () => (await ask("/ping")).status === 200);
  let id = "";
  const sent = await until(async () => {
    id = newId();
    return (await ask("/probe", json("POST", { id }))).status === 202;
  });
  const handledMs = await until(async () => (await (await ask(`/probed?id=${id}`)).text()) === "true");
  return answeredMs === null || sent === null || handledMs === null ? null : { answeredMs, handledMs };
}
