import { pure, type SdkNamespace } from "../define.ts";
import { integer, optional, text } from "../params.ts";
import { SdkError } from "../sdk-error.ts";
import { formatTime } from "./time-format.ts";

/** Furthest instant from 1970 that a date can have (ECMA-262), in milliseconds. */
const MAX_MS = 8.64e15;

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** Milliseconds of a unit. @throws SdkError */
function millisecondsOf(unit: string): number {
  const ms = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  if (ms === undefined)
    throw new SdkError(`unit must be one of ${Object.keys(UNITS).join(", ")}, not "${unit}"`);
  return ms;
}

/** RFC 3339; a time without an offset, or a date alone, is in UTC. @throws SdkError */
function parse(source: string): number {
  try {
    return Temporal.Instant.from(source).epochMilliseconds;
  } catch {
    try {
      return Temporal.PlainDateTime.from(source).toZonedDateTime("UTC").epochMilliseconds;
    } catch {
      throw new SdkError('the text is not a date or time such as "2026-01-31" or "2026-01-31T12:00:00Z"');
    }
  }
}

const instant = (name: string) => integer(name, { min: -MAX_MS, max: MAX_MS });

export const time: SdkNamespace = {
  name: "time",
  doc: "Dates and times. Instants are milliseconds since 1970 in UTC.",
  functions: [
    pure({
      name: "now",
      params: [],
      returns: "string",
      doc: 'Now, as RFC 3339 in UTC: "2026-01-31T12:00:00.000Z".',
      example: { source: "time::parse(time::now()) <= time::now_ms()", result: "true" },
      call: () => new Date().toISOString(),
    }),
    pure({
      name: "now_ms",
      params: [],
      returns: "int",
      doc: "Now, in milliseconds since 1970.",
      example: {
        source: ["let begun = time::now_ms();", "time::now_ms() - begun < 1000"].join("\n"),
        result: "true",
      },
      call: () => Date.now(),
    }),
    pure({
      name: "now_secs",
      params: [],
      returns: "int",
      doc: "Now, in whole seconds since 1970.",
      example: { source: "time::now_secs() - time::now_ms() / 1000 <= 1", result: "true" },
      call: () => Math.floor(Date.now() / 1000),
    }),
    pure({
      name: "parse",
      params: [text("text", { maxBytes: 256 })],
      returns: "int",
      doc: "The instant of an RFC 3339 text, in milliseconds. Without an offset, and for a date alone, UTC is meant.",
      example: { source: 'time::parse("2026-01-31T12:00:00+01:00")', result: "1769857200000" },
      errors: [
        {
          source: 'time::parse("31.1.2026")',
          message:
            'time::parse: the text is not a date or time such as "2026-01-31" or "2026-01-31T12:00:00Z"',
        },
      ],
      call: (_, source) => parse(source),
    }),
    pure({
      name: "format",
      params: [
        instant("ms"),
        text("format", { maxBytes: 4096 }),
        optional(text("timezone", { maxBytes: 256 })),
      ],
      returns: "string",
      doc:
        'An instant as text, in UTC or in an IANA time zone such as "Europe/Berlin". The format is that of strftime: ' +
        "%Y %m %d %H %M %S, %L (milliseconds), %z (offset), %a %A %b %B (names), %j, %F, %T, %s, %% and others; or the word iso or http.",
      example: {
        source: 'time::format(1769857200500, "%d.%m.%Y %H:%M", "Europe/Berlin")',
        result: '"31.01.2026 12:00"',
      },
      errors: [
        {
          source: 'time::format(0, "%Q")',
          message: 'time::format: format holds the unknown conversion "%Q"',
        },
        {
          source: 'time::format(0, "%F", "Mars/Olympus")',
          message: 'time::format: timezone must be an IANA name such as "Europe/Berlin", not "Mars/Olympus"',
        },
        {
          source: 'time::format(9000000000000000, "%F")',
          message:
            "time::format: ms must be from -8640000000000000 to 8640000000000000, not 9000000000000000",
        },
      ],
      call: ({ native }, ms, format, zone) => native.checkSize(formatTime(ms, format, zone ?? "UTC")),
    }),
    pure({
      name: "add",
      params: [instant("ms"), integer("amount"), text("unit")],
      returns: "int",
      doc: "An instant so many units later (or earlier): ms, s, m, h, d (24 hours), w.",
      example: {
        source: 'time::format(time::add(time::parse("2026-01-31"), 1, "d"), "%F")',
        result: '"2026-02-01"',
      },
      errors: [
        {
          source: 'time::add(0, 1, "y")',
          message: 'time::add: unit must be one of ms, s, m, h, d, w, not "y"',
        },
        {
          source: 'time::add(0, 9007199254740991, "w")',
          message: "time::add: the result is outside of the range of dates",
        },
      ],
      call: (_, ms, amount, unit) => {
        const sum = ms + amount * millisecondsOf(unit);
        if (Math.abs(sum) > MAX_MS) throw new SdkError("the result is outside of the range of dates");
        return sum;
      },
    }),
    pure({
      name: "diff",
      params: [instant("a"), instant("b"), text("unit")],
      returns: "int",
      doc: "How many whole units a is after b; negative when it is before.",
      example: {
        source: 'time::diff(time::parse("2026-03-02"), time::parse("2026-03-01T01:00:00"), "h")',
        result: "23",
      },
      errors: [
        {
          source: 'time::diff(0, 1, "y")',
          message: 'time::diff: unit must be one of ms, s, m, h, d, w, not "y"',
        },
      ],
      call: (_, a, b, unit) => Math.trunc((a - b) / millisecondsOf(unit)) + 0,
    }),
  ],
};
