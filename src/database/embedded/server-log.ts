import { logger } from "../../shared/log.ts";

/** `<pid> <kind of process> <severity>:  <message>`, as log_line_prefix in settings.ts makes it. */
const LINE = /^(\d+) (.+?) (DEBUG\d?|INFO|NOTICE|LOG|WARNING|ERROR|FATAL|PANIC): {2}(.*)$/;

/** What every start and stop says. */
const ROUTINE =
  /^(starting PostgreSQL|listening on|database system (was shut down|is ready|is shut down)|received fast shutdown|aborting any active|shutting down|terminating connection due to administrator|the database system is (starting|shutting|not yet)|background worker .* exited with exit code [01])/;

/** What a statement's client is told: it knows what to make of it, and the text may hold data. */
const CLIENTS_OWN: ReadonlySet<string> = new Set(["ERROR", "WARNING", "NOTICE", "INFO"]);

/** Makes the function that passes one server's log on to ours, line by line. */
export function serverLog(): (line: string) => void {
  const log = logger("postgres");
  let muted = false;

  return (line) => {
    // The further lines of a message begin with a tab, and share its fate.
    if (line.startsWith("\t") && muted) return;
    const match = LINE.exec(line);
    const [, pid, kind, severity = "", message = ""] = match ?? [];
    muted = kind === "client backend" && CLIENTS_OWN.has(severity);
    if (muted) return;
    if (match === null) return log.info("{line}", { line });
    const fields = { message, pid: Number(pid), process: kind };
    if (ROUTINE.test(message)) return log.debug("{message}", fields);
    if (severity === "PANIC") return log.fatal("{message}", fields);
    if (severity === "ERROR") return log.error("{message}", fields);
    if (severity === "FATAL" || severity === "WARNING") return log.warning("{message}", fields);
    return log.info("{message}", fields);
  };
}
