import {
  configureSync,
  getAnsiColorFormatter,
  getLogger,
  type Logger,
  type LogLevel,
  type LogRecord,
} from "@logtape/logtape";
import { writeSync } from "node:fs";

export type { Logger } from "@logtape/logtape";

export type LogFormat = "json" | "pretty";

/**
 * Sends the process log to stderr: one JSON object a line, or coloured text for a person. Synchronous, so that
 * nothing is lost when the process ends.
 */
export function configureLog(level: LogLevel, format: LogFormat): void {
  const formatter =
    format === "json" ? jsonLine : getAnsiColorFormatter({ timestamp: "time", category: ".", value: inText });
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

/** `{"ts", "level", "logger", "message", …properties}`. */
function jsonLine(record: LogRecord): string {
  const line = {
    ts: new Date(record.timestamp).toISOString(),
    level: record.level,
    logger: record.category.join("."),
    message: record.message.map((part, index) => (index % 2 === 0 ? part : inText(part))).join(""),
    ...Object.fromEntries(Object.entries(record.properties).map(([name, value]) => [name, plain(value)])),
  };
  return `${JSON.stringify(line)}\n`;
}

/** A value in the middle of a sentence. */
function inText(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.message;
  return Bun.inspect(value, { depth: 2, compact: true });
}

/** Members of an error but those in which PostgreSQL quotes rows, keys and JSON: they may hold anything. */
function withoutData(error: Error): object {
  const { detail: _detail, where: _where, ...rest } = error as Error & Record<string, unknown>;
  return rest;
}

/** What JSON can hold of a property; errors with their stack and causes. */
function plain(value: unknown): unknown {
  if (!(value instanceof Error)) return typeof value === "bigint" ? String(value) : value;
  return {
    ...withoutData(value),
    name: value.name,
    message: value.message,
    stack: value.stack,
    cause: plain(value.cause),
  };
}
