import { chmod, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../src/database/client.ts";
import { startEmbedded } from "../../src/database/embedded/index.ts";
import type { ConnectionTarget } from "../../src/database/target.ts";

/** The variable through which a whole test run shares one cluster: a ConnectionTarget as JSON. */
export const TEST_POSTGRES = "PICLOUD_TEST_POSTGRES";

export interface TestPostgres {
  readonly target: ConnectionTarget;
  /** The value for the environment variable `TEST_POSTGRES` of the test processes. */
  readonly environmentValue: string;
  /** Stops the server and removes its directory. */
  stop(): Promise<void>;
}

/** A fresh directory that an unprivileged Postgres can enter; remove it afterwards. */
export async function temporaryDirectory(prefix = "picloud-test-"): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), prefix));
  await chmod(path, 0o711);
  return path;
}

/** Removes a data directory, and its server where that is only linked to. */
export async function removeDataDirectory(dataDir: string): Promise<void> {
  const server = await realpath(join(dataDir, "postgres")).catch(() => null);
  if (server !== null) await rm(server, { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

/**
 * Starts one cluster for a whole test run. It alone does not wait for the disk (a database for each test file: 20 ms
 * instead of 300); what must survive a crash is tested on clusters of its own.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const dataDir = await temporaryDirectory();
  const server = await startEmbedded({ dataDir });
  const admin = connect(server.target, { max: 1, applicationName: "picloud-test-start" });
  await admin`ALTER SYSTEM SET fsync = off`;
  await admin`SELECT pg_reload_conf()`;
  await admin.end();
  return {
    target: server.target,
    environmentValue: JSON.stringify(server.target),
    stop: async () => {
      await server.stop();
      await removeDataDirectory(dataDir);
    },
  };
}
