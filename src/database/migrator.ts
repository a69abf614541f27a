import { AppError } from "../shared/errors.ts";
import type { Database } from "./client.ts";
import { MIGRATIONS, type Migration } from "./migrations/index.ts";

/** The schema this binary works with: the number of its last migration. */
export const schemaVersion: number = MIGRATIONS.at(-1)?.number ?? 0;

/** One lock for all that migrate a database; the number is arbitrary but fixed (PICLOUD on a telephone keypad). */
const MIGRATION_LOCK = 7_425_683;

interface Applied {
  readonly number: number;
  readonly name: string;
  readonly sha256: string;
}

/**
 * Brings the database to `schemaVersion`, each migration in its own transaction, under an advisory lock: of two that
 * start at once, one migrates and the other finds it done.
 * @returns the numbers that were applied now
 * @throws AppError `schema_too_new` when the database knows migrations that this binary does not;
 *   `migration_changed` when an applied migration differs from the one in this binary
 */
export async function migrate(
  db: Database,
  migrations: readonly Migration[] = MIGRATIONS,
): Promise<readonly number[]> {
  const connection = await db.reserve();
  try {
    // Waiting for another that migrates, and a migration of a large table, may take their time.
    await connection`SET statement_timeout = 0`;
    await connection`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    await connection`
      CREATE TABLE IF NOT EXISTS schema_migrations (
        number integer PRIMARY KEY,
        name text NOT NULL,
        sha256 text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      )`;
    const applied = await connection<
      Applied[]
    >`SELECT number, name, sha256 FROM schema_migrations ORDER BY number`;
    verify(applied, migrations);
    const done: number[] = [];
    for (const migration of migrations.slice(applied.length)) {
      await apply(connection, migration);
      done.push(migration.number);
    }
    return done;
  } finally {
    // The session's end would free the lock too; a pooled session does not end.
    await connection`SELECT pg_advisory_unlock_all()`.catch(() => {});
    await connection`RESET statement_timeout`.catch(() => {});
    connection.release();
  }
}

/**
 * For what works on a database without being its server: changes nothing.
 * @throws AppError `schema_too_old`, `schema_too_new`
 */
export async function requireSchema(db: Database): Promise<void> {
  const [made] = await db`SELECT to_regclass('schema_migrations') IS NOT NULL AS there`;
  const [last] =
    made?.["there"] === true
      ? await db<{ number: number }[]>`SELECT coalesce(max(number), 0) AS number FROM schema_migrations`
      : [];
  const number = last?.number ?? 0;
  if (number > schemaVersion) throw tooNew(number, schemaVersion);
  if (number === schemaVersion) return;
  throw new AppError(
    500,
    "schema_too_old",
    `The database has schema ${number}, this binary works with ${schemaVersion}. Start its server once (picloud serve), or use the binary that runs there.`,
    { details: { database: number, binary: schemaVersion } },
  );
}

function tooNew(database: number, binary: number): AppError {
  return new AppError(
    500,
    "schema_too_new",
    `The database has schema ${database}, this binary knows up to ${binary}. Run the newer binary that made it, or restore a backup from before the upgrade.`,
    { details: { database, binary } },
  );
}

type Connection = Awaited<ReturnType<Database["reserve"]>>;

async function apply(connection: Connection, migration: Migration): Promise<void> {
  await connection`BEGIN`;
  try {
    // The row first, so that a migration run twice fails before it does anything.
    await connection`
      INSERT INTO schema_migrations (number, name, sha256)
      VALUES (${migration.number}, ${migration.name}, ${checksum(migration)})`;
    await connection.unsafe(migration.sql);
    await connection`COMMIT`;
  } catch (cause) {
    await connection`ROLLBACK`.catch(() => {});
    throw new AppError(
      500,
      "migration_failed",
      `Migration ${label(migration)} failed, and was rolled back: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    );
  }
}

function verify(applied: readonly Applied[], migrations: readonly Migration[]): void {
  const known = migrations.length;
  const last = applied.at(-1)?.number ?? 0;
  if (last > known) throw tooNew(last, known);
  applied.forEach((row, index) => {
    const migration = migrations[index];
    if (migration !== undefined && row.number === migration.number && row.sha256 === checksum(migration))
      return;
    throw new AppError(
      500,
      "migration_changed",
      `Migration ${row.number} (${row.name}) was applied to the database in another form than this binary has. Run a released binary: applied migrations never change.`,
      { details: { number: row.number, name: row.name } },
    );
  });
}

const label = (migration: Migration): string =>
  `${String(migration.number).padStart(4, "0")}_${migration.name}`;

const checksum = (migration: Migration): string =>
  new Bun.CryptoHasher("sha256").update(migration.sql).digest("hex");
