import { logger } from "../../shared/log.ts";

/** `<pid> <kind of process> <severity>:  <message>`, as log_line_prefix in settings.ts makes it. */
const LINE = /^(\d+) (.+?) (DEBUG\d?|INFO|NOTICE|LOG|WARNING|ERROR|FATAL|PANIC): {2}(.*)$/;

/** What every start and stop says. */
const ROUTINE =
  /^(starting PostgreSQL|listening on|database system (was shut down|is ready|is shut down)|received fast shutdown|aborting any active|shutting down|terminating connection due to administrator|the database system is (starting|shutting)|background worker .* exited with exit code [01])/;

/** Passes a line of the server's log on to ours. */
export function logLine(line: string): void {
  const log = logger("postgres");
  const match = LINE.exec(line);
  if (match === null) return log.info("{line}", { line });
  const [, pid, kind, severity, message = ""] = match;
  const fields = { message, pid: Number(pid), process: kind };
  if (ROUTINE.test(message)) return log.debug("{message}", fields);
  switch (severity) {
    case "ERROR":
      // A statement's error is told to its client, who knows what to make of it. Its text may hold the data.
      if (kind === "client backend") return;
      return log.error("{message}", fields);
    case "PANIC":
      return log.fatal("{message}", fields);
    case "FATAL":
    case "WARNING":
      return log.warning("{message}", fields);
    default:
      return log.info("{message}", fields);
  }
}
