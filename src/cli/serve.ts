import { startApp, type App } from "../app.ts";
import { outliveDriverFault } from "../database/client.ts";
import { loadConfig, type Config, type Flags } from "../config.ts";
import { configureLog, logger } from "../shared/log.ts";
import { VERSIONS } from "../shared/version.ts";
import { replaceWithQuietProcess } from "./quiet.ts";

/**
 * `picloud serve`: runs until SIGTERM or SIGINT, then takes everything down in order. A second signal ends at once.
 * @param args the command line as given, for starting over in place
 * @returns the exit code: 0 after a clean stop
 * @throws AppError when the start is refused (busy port, data directory in use, newer schema, …)
 */
export async function serve(flags: Flags, args: readonly string[]): Promise<number> {
  const config = loadConfig(flags);
  replaceWithQuietProcess(args);
  configureLog(config.log.level, config.log.format);
  surviveStrayErrors();
  for (const warning of config.warnings) logger("config").warning("{warning}", { warning });

  const stopped = nextSignal();
  void stopped.then((name) => {
    logger().info("stopping on {signal}", { signal: name });
    void nextSignal().then(() => process.kill(process.pid, "SIGKILL"));
  });
  const app = await startApp(config, progress(config));
  // A signal that came while it was starting finds nothing half-made: it takes effect here.
  announce(config, app);
  await stopped;
  await app.stop();
  logger().info("stopped");
  return 0;
}

/**
 * An error that nobody awaits must not take everybody's endpoints down. The known ones come from the database driver,
 * out of a timer, when a connection is cut in the middle of a query.
 */
function surviveStrayErrors(): void {
  for (const kind of ["uncaughtException", "unhandledRejection"] as const) {
    process.on(kind, (error: unknown) => {
      outliveDriverFault(error);
      logger().error("stray error: {error}", { kind, error });
    });
  }
}

function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}

/** Steps of the start: lines for a person, log entries for a machine. */
function progress(config: Config): (text: string) => void {
  if (config.log.format === "pretty") return (text) => void process.stderr.write(`  ${text}\n`);
  return (text) => logger("start").info("{text}", { text });
}

function announce(config: Config, app: App): void {
  logger().info("PiCloud {version} is listening on {url}", { version: VERSIONS.product, url: app.url });
  const lines = [`PiCloud      ${app.url}`, `Dashboard    ${app.url}/admin`];
  if (app.firstLogin !== null) {
    // To the terminal and to first-login.txt (0600) only, never into the log.
    lines.push(
      `First login  ${app.firstLogin.username} / ${app.firstLogin.password}`,
      `             (kept in ${config.dataDir}/first-login.txt until the password is changed)`,
    );
  }
  process.stdout.write(`\n${lines.map((line) => `  ${line}\n`).join("")}\n`);
}
