import {
  ansiColorFormatter,
  configureSync,
  getLogger,
  jsonLinesFormatter,
  type Logger,
  type LogLevel,
} from "@logtape/logtape";
import { writeSync } from "node:fs";

export type { Logger } from "@logtape/logtape";

export type LogFormat = "json" | "pretty";

/**
 * Sends the process log to stderr: one JSON object a line, or coloured text for a person. Synchronous, so that
 * nothing is lost when the process ends.
 */
export function configureLog(level: LogLevel, format: LogFormat): void {
  const formatter = format === "json" ? jsonLinesFormatter : ansiColorFormatter;
  configureSync({
    reset: true,
    sinks: { stderr: (record) => void writeSync(2, formatter(record)) },
    loggers: [
      { category: "picloud", sinks: ["stderr"], lowestLevel: level },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}

/** The logger of one part of the platform: `logger("postgres").info("…", { pid })`. Never give it a secret. */
export const logger = (...category: string[]): Logger => getLogger(["picloud", ...category]);
