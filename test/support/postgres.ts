import { connect, type Database } from "../../src/database/client.ts";
import { MIGRATIONS } from "../../src/database/migrations/index.ts";
import { migrate } from "../../src/database/migrator.ts";
import { withDatabase, type ConnectionTarget } from "../../src/database/target.ts";
import { atEnd } from "./at-end.ts";
import { startTestPostgres, TEST_POSTGRES } from "./test-server.ts";

export interface TestDatabase {
  readonly db: Database;
  /** For a second pool, or for a Worker. */
  readonly target: ConnectionTarget;
  /** Closes `db` and drops the database. */
  drop(): Promise<void>;
}

/** A database of its own for a test file, with all migrations applied. Call in beforeAll, `drop()` in afterAll. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = await sharedServer();
  const template = await migratedTemplate(server);
  return createDatabase(server, template);
}

/** An empty database, without any migration. */
export async function emptyDatabase(): Promise<TestDatabase> {
  return createDatabase(await sharedServer(), "template0");
}

async function createDatabase(server: ConnectionTarget, template: string): Promise<TestDatabase> {
  const name = `test_${Bun.randomUUIDv7().replaceAll("-", "")}`;
  await administer(server, (admin) =>
    admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`),
  );
  const target = withDatabase(server, name);
  const db = connect(target, { max: 4, applicationName: "picloud-test" });
  return {
    db,
    target,
    drop: async () => {
      await db.end({ timeout: 1 });
      await administer(server, (admin) => admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    },
  };
}

let shared: Promise<ConnectionTarget> | undefined;

/** The run's cluster when the orchestrator started one, else one of this process. */
function sharedServer(): Promise<ConnectionTarget> {
  shared ??= (async () => {
    const given = process.env[TEST_POSTGRES];
    if (given !== undefined && given !== "") return JSON.parse(given) as ConnectionTarget;
    const server = await startTestPostgres();
    atEnd(server.stop);
    return server.target;
  })();
  return shared;
}

const templates = new Map<string, Promise<string>>();

/** One template for each state of the migrations, made by whichever test process comes first. */
function migratedTemplate(server: ConnectionTarget): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256").update(JSON.stringify(MIGRATIONS)).digest("hex").slice(0, 16);
  const name = `template_${hash}`;
  let made = templates.get(name);
  if (made === undefined) {
    made = makeTemplate(server, name);
    templates.set(name, made);
  }
  return made;
}

async function makeTemplate(server: ConnectionTarget, name: string): Promise<string> {
  await administer(server, async (admin) => {
    await admin`SELECT pg_advisory_lock(hashtext(${name}))`;
    const [row] = await admin`SELECT datistemplate AS done FROM pg_database WHERE datname = ${name}`;
    if (row?.["done"] === true) return;
    await admin.unsafe(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy`);
    const db = connect(withDatabase(server, name), { max: 1, applicationName: "picloud-test-template" });
    await migrate(db);
    await db.end();
    // Marked last: a half-made one is made anew.
    await admin.unsafe(`ALTER DATABASE ${name} WITH IS_TEMPLATE true`);
  });
  return name;
}

/** Runs on the server's own database, on one connection that is closed afterwards. */
async function administer<T>(server: ConnectionTarget, work: (admin: Database) => Promise<T>): Promise<T> {
  const admin = connect(server, { max: 1, applicationName: "picloud-test-admin" });
  try {
    return await work(admin);
  } finally {
    await admin.end({ timeout: 1 });
  }
}
