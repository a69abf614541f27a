import { statSync } from "node:fs";
import { connect } from "../../src/database/client.ts";
import { Client, Installation, type PiCloud } from "../e2e/support/picloud.ts";
import { familyOf, memoryOf, usageOf } from "./support/proc.ts";
import { printTable } from "./support/table.ts";

const WINDOW_SECONDS = 60;
/** What must have calmed down before: pools close, garbage is collected, Postgres writes what it cached. */
const SETTLE_SECONDS = 45;
const TICKS_PER_SECOND = 100;
const GOAL = {
  statements: 0,
  cpuPercent: 0.02,
  switchesPerSecond: 1,
  residentMB: 70,
  postgresPrivateMB: 20,
  binaryMB: 135,
};

/** PiCloud and its Postgres at rest after some use, against a bare Bun server in the same window. */
export async function run(): Promise<void> {
  const installation = new Installation();
  const bare = Bun.spawn(
    [process.execPath, "-e", "Bun.serve({ port: 0, fetch: () => new Response('ok') })"],
    {
      stdio: ["ignore", "ignore", "ignore"],
    },
  );
  try {
    const server = await installation.serve();
    await use(server);
    await Bun.sleep(SETTLE_SECONDS * 1000);

    const postgres = familyOf(server.pid).filter((pid) => pid !== server.pid);
    const statementsBefore = await statements(installation);
    // The question itself was a statement on a connection of its own: let its traces pass.
    await Bun.sleep(3000);
    const own = usageOf([server.pid]);
    const ownPostgres = usageOf(postgres);
    const baseline = usageOf([bare.pid]);
    await Bun.sleep(WINDOW_SECONDS * 1000);
    const ownAfter = usageOf([server.pid]);
    const postgresAfter = usageOf(postgres);
    const baselineAfter = usageOf([bare.pid]);
    const memory = memoryOf([server.pid]);
    const postgresMemory = memoryOf(postgres);
    const sent = (await statements(installation)) - statementsBefore;

    const cpu =
      ((ownAfter.ticks - own.ticks + postgresAfter.ticks - ownPostgres.ticks) /
        TICKS_PER_SECOND /
        WINDOW_SECONDS) *
      100;
    const switches = (ownAfter.contextSwitches - own.contextSwitches) / WINDOW_SECONDS;
    const postgresSwitches = (postgresAfter.contextSwitches - ownPostgres.contextSwitches) / WINDOW_SECONDS;
    const bareSwitches = (baselineAfter.contextSwitches - baseline.contextSwitches) / WINDOW_SECONDS;
    const bareCpu = ((baselineAfter.ticks - baseline.ticks) / TICKS_PER_SECOND / WINDOW_SECONDS) * 100;
    const bareMemory = memoryOf([bare.pid]).resident;

    printTable(
      [`at rest, ${WINDOW_SECONDS} s`, "measured", "bare Bun server", "goal", "met"],
      [
        row("SQL statements", sent, "", GOAL.statements, sent <= GOAL.statements),
        row(
          "CPU of one core, %",
          cpu.toFixed(3),
          bareCpu.toFixed(3),
          GOAL.cpuPercent,
          cpu <= GOAL.cpuPercent,
        ),
        row(
          "context switches/s, all",
          (switches + postgresSwitches).toFixed(2),
          bareSwitches.toFixed(2),
          GOAL.switchesPerSecond,
          switches + postgresSwitches <= GOAL.switchesPerSecond,
        ),
        ["  of PiCloud", switches.toFixed(2), "", "", ""],
        ["  of Postgres", postgresSwitches.toFixed(2), "", "", ""],
        row(
          "PiCloud resident, MB",
          mega(memory.resident),
          mega(bareMemory),
          GOAL.residentMB,
          memory.resident / 1e6 < GOAL.residentMB,
        ),
        row(
          "Postgres private, MB",
          mega(postgresMemory.private),
          "",
          GOAL.postgresPrivateMB,
          postgresMemory.private / 1e6 < GOAL.postgresPrivateMB,
        ),
        row(
          "binary, MB",
          mega(statSync(installation.binary).size),
          "",
          GOAL.binaryMB,
          statSync(installation.binary).size / 1e6 < GOAL.binaryMB,
        ),
      ],
    );
    await server.stop();
  } finally {
    bare.kill();
    await installation.remove();
  }
}

const row = (name: string, measured: string | number, baseline: string, goal: number, met: boolean) => [
  name,
  measured,
  baseline,
  goal,
  met ? "yes" : "NO",
];

const mega = (bytes: number): string => (bytes / 1e6).toFixed(1);

/** Some life before the rest: saves and runs. */
async function use(server: PiCloud): Promise<void> {
  if (server.login === null) throw new Error(server.output());
  const client = new Client(server.url, server.login);
  for (let round = 0; round < 20; round++) {
    await client.deploy("used", `"round ${round}"`, "?route=/used");
    await Promise.all(
      Array.from({ length: 20 }, async () =>
        (await fetch(`${server.url}/used`, { headers: { Connection: "close" } })).text(),
      ),
    );
  }
}

/**
 * Transactions that ended in PiCloud's database (every statement is or belongs to one), asked from another database
 * so that the question does not count itself.
 */
async function statements(installation: Installation): Promise<number> {
  const db = connect(
    {
      kind: "socket",
      directory: `${installation.dataDir}/postgres/data`,
      user: "picloud",
      database: "postgres",
    },
    { max: 1, applicationName: "bench" },
  );
  try {
    const rows = await db<{ ended: number }[]>`
      select coalesce(sum(xact_commit + xact_rollback), 0)::int as ended
      from pg_stat_database where datname = 'picloud'`;
    return rows[0]?.ended ?? 0;
  } finally {
    await db.end();
  }
}
