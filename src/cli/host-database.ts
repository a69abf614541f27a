import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../config.ts";
import { openDataDirectory } from "../data-directory.ts";
import { connect, type Database } from "../database/client.ts";
import { runningTarget, startEmbedded } from "../database/embedded/index.ts";
import { toAppError } from "../database/errors.ts";
import { requireSchema } from "../database/migrator.ts";
import { urlTarget, type ConnectionTarget } from "../database/target.ts";
import { AppError } from "../shared/errors.ts";

/**
 * Works on the database of this machine's PiCloud, whether or not it runs: the one of DATABASE_URL; else the embedded
 * one, through its socket while a server has the data directory, and started for the moment when none has.
 * @throws AppError `no_database` when there is nothing of PiCloud's in the data directory
 */
export async function withHostDatabase<T>(
  config: Pick<Config, "databaseUrl" | "dataDir" | "secretKey">,
  work: (db: Database) => Promise<T>,
): Promise<T> {
  const { databaseUrl, dataDir } = config;
  if (databaseUrl !== null) return onTarget(urlTarget(databaseUrl), work);
  if (!existsSync(join(dataDir, "postgres"))) {
    throw new AppError(
      404,
      "no_database",
      `There is no database of PiCloud in ${dataDir}, or this user may not look there. Name the server's data directory (--data-dir) or its database (--database-url).`,
    );
  }
  const directory = await openDataDirectory(dataDir, config.secretKey).catch((error: unknown) => {
    if (error instanceof AppError && error.code === "data_directory_in_use") return null;
    throw error;
  });
  if (directory === null) return onTarget(await runningTarget(dataDir), work);
  try {
    const server = await startEmbedded({ dataDir: directory.path });
    try {
      return await onTarget(server.target, work);
    } finally {
      await server.stop();
    }
  } finally {
    directory.close();
  }
}

async function onTarget<T>(target: ConnectionTarget, work: (db: Database) => Promise<T>): Promise<T> {
  const db = connect(target, { max: 2, applicationName: "picloud-admin" });
  try {
    await requireSchema(db);
    return await work(db);
  } catch (error) {
    throw toAppError(error) ?? error;
  } finally {
    await db.end({ timeout: 1 });
  }
}
