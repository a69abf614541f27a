import { afterAll, beforeAll } from "bun:test";
import { seed } from "../../../services/seed.ts";
import { testDatabase, type TestDatabase } from "../../../support/postgres.ts";
import { startExecutor, type Runs } from "../../support/runs.ts";

/** Apps whose scripts are run against a database of a test file's own. */
export interface ScriptApp {
  readonly database: TestDatabase;
  readonly runs: Runs;
  /** The app that scripts run in unless told otherwise. */
  readonly app: string;
  readonly other: string;
  /** Moments at which data expires, as the main thread is told. */
  readonly expiries: number[];
  /** How often the main thread was told that indexes changed. */
  indexNotices: number;
  /** The answer as JSON or text; of a failed run its message, without its position. */
  run(source: string, app?: string): Promise<string>;
}

/** To be called at the top of a test file. @returns what is there once the tests run */
export function scriptApp(): () => ScriptApp {
  let started: ScriptApp | null = null;
  const running = (): ScriptApp => {
    if (started === null) throw new Error("the tests have not begun");
    return started;
  };
  beforeAll(async () => {
    const database = await testDatabase();
    const rows = seed(database.db);
    const expiries: number[] = [];
    const app = await rows.app("mine");
    const runs = startExecutor({
      database: database.target,
      onExpiry: (at) => expiries.push(at),
      onIndexes: () => running().indexNotices++,
    });
    started = {
      database,
      runs,
      app,
      other: await rows.app("other"),
      expiries,
      indexNotices: 0,
      async run(source, of = app) {
        const outcome = await runs.run(source, { app: of });
        if (outcome.response !== null) return String(outcome.response.body);
        return outcome.error?.message.replace("Runtime error: ", "").replace(/ \(line.*/s, "") ?? "";
      },
    };
  });
  afterAll(async () => {
    await started?.runs.executor.stop(0);
    await started?.database.drop();
  });
  return running;
}
