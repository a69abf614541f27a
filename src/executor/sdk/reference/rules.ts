import {
  DEFAULT_CEILINGS,
  DEFAULT_LIMITS,
  MAX_SOURCE_BYTES,
  type RunLimits,
} from "../../../shared/limits.ts";
import { MAX_BODY } from "../../response.ts";
import { MAX_IMPORT_DEPTH } from "../../script-modules.ts";
import type { RuleEntry } from "../../../shared/sdk-reference.ts";

const count = (value: number): string => value.toLocaleString("en-US");
const bytes = (value: number): string =>
  value >= 1024 * 1024 ? `${value / 1024 / 1024} MiB` : `${value / 1024} KiB`;

/** What is metered in a run: what it is called in a script's settings, and how its numbers read. */
const METERED: readonly (readonly [keyof RunLimits, name: string, shown: (value: number) => string])[] = [
  ["maxOperations", "operations (`max_operations`)", count],
  ["maxStringSize", "a string, in bytes (`max_string_size`)", bytes],
  ["maxArraySize", "entries of an array, nested ones included (`max_array_size`)", count],
  ["maxMapSize", "entries of a map, nested ones included (`max_map_size`)", count],
  ["maxCallLevels", "functions that call each other (`max_call_levels`)", count],
  ["maxExprDepth", "nesting of expressions; refused at the save (`max_expr_depth`)", count],
  ["maxSdkCalls", "calls of services (`max_sdk_calls`)", count],
  ["memoryBytes", "memory of the script's values (`memory_limit_mb`)", bytes],
  ["timeoutMs", "time from the script's start (`timeout_seconds`)", (value) => `${value / 1000} s`],
];

const limitsTable = [
  "| of a run | default | at most |",
  "|---|---|---|",
  ...METERED.map(
    ([key, name, shown]) => `| ${name} | ${shown(DEFAULT_LIMITS[key])} | ${shown(DEFAULT_CEILINGS[key])} |`,
  ),
].join("\n");

export const rules: readonly RuleEntry[] = [
  {
    title: "What a script is",
    text:
      "A Rhai script runs from top to bottom; the value of its last expression, or of `return`, is its answer. Each run starts " +
      "afresh: what is to last goes into `kv` or `docs`. `ctx` is a constant. There are no files, processes or sockets; " +
      "`eval` is off.",
  },
  {
    title: "Answers",
    text: [
      "| value | HTTP answer |",
      "|---|---|",
      "| a map with `statusCode`: `#{ statusCode: 201, headers: #{ … }, body: … }` | exactly that; `headers` and `body` may be left out |",
      "| a string | 200, `text/plain; charset=utf-8` |",
      "| a blob | 200, `application/octet-stream` |",
      "| anything else | 200, `application/json`; `()` is `null` |",
      "",
      "`statusCode` is an integer from 200 to 599. A header's value is a string, or an array of strings to send it repeatedly. " +
        "A header `content-type` of yours goes first; those of the connection, `content-length`, and a cookie `picloud_session` are " +
        `left out. A body has at most ${bytes(MAX_BODY)}. What cannot be sent (a function, a range, NaN) is a 502.`,
    ].join("\n"),
  },
  {
    title: "Errors",
    text:
      "What is not there is no failure: it is `()` or `false`. Whatever does fail throws a string that begins with the function, " +
      "as in `kv::set: value is larger than 65536 bytes as JSON`, and can be caught with `try` and `catch`. An argument of the wrong " +
      "type says which and why: `kv::get: key must be a string, not i64`. The wrong number of arguments, or a function that does not " +
      "exist, is `Function not found`. Limits of a run cannot be caught.",
  },
  {
    title: "Names, keys and sizes",
    text:
      "Collections, keys and fields have names of 1 to 256 bytes without control characters. All data belongs to the app whose " +
      "script it is; no name reaches another app's. Values cross as JSON does: integers of 64 bits stay exact, 1 and 1.0 stay " +
      "different, a blob becomes base64 text. Text with a NUL character cannot be stored.",
  },
  {
    title: "Lists",
    text:
      "Lists come in pages. `limit` is 100 unless told otherwise and at most 1000; `next_cursor` is what the next page is asked " +
      "for with, and `()` on the last one. A cursor is an opaque text: it fits the call that answered it, in the same app.",
  },
  {
    title: "Filters of documents",
    text: [
      "A filter is a map. A field is a name or a path, `a.b.c`, of up to 5 names. All that a filter says must hold; an empty one " +
        "describes every document. Names with a `$` stand in quotes, as Rhai wants it.",
      "",
      "| in a filter | holds when the field |",
      "|---|---|",
      '| `field: value`, `field: #{ "$eq": value }` | is equal to it; `()` also stands for a field that is missing |',
      '| `"$ne"` | is not, missing fields included |',
      '| `"$gt"` `"$gte"` `"$lt"` `"$lte"` | is greater or less than a number, string or bool; of another type, or missing, it never is |',
      '| `"$in"`, `"$nin"` | is one of an array of values; is none of them |',
      '| `"$exists": true` | is there, be it `()`; with `false`: is missing |',
      '| `"$contains"` | is an array that has an element equal to it, or a string that has it as a part |',
      '| `"$regex"` | is a string that the pattern matches |',
      '| `"$not": #{ … }` | is not as that one operator says |',
      "",
      'Beside fields: `"$and"`, `"$or"` and `"$nor"` with an array of 1 to 20 filters, 4 levels deep and 50 conditions in all; `"$sort"` ' +
        'with a map of up to 3 fields to `1` or `-1`; `"$limit"`; `"$select"` with an array of the fields that are wanted. What is equal ' +
        "by a `$sort` comes in the order of ids, the oldest first. Without an index a query reads the whole collection: `create_index` makes " +
        "it fast, `explain` tells which index it uses.",
    ].join("\n"),
  },
  {
    title: "Services",
    text:
      `Functions marked *service* ask the database. A run may make ${count(DEFAULT_LIMITS.maxSdkCalls)} such calls, or as many as its limit says; each may take 5 s, and none longer ` +
      "than the run has left. Single calls are whole: they happen or they do not. To make several one, use `tx::run`.",
  },
  {
    title: "Modules",
    text:
      'A script of kind `module` holds functions, constants and imports. `import "pricing" as pricing;` makes its functions, ' +
      "but those that are `private`, available as `pricing::total(…)`, in scripts of the same app. Names are made of lower-case " +
      `letters, digits and \`_\`. Imports go ${MAX_IMPORT_DEPTH} deep, and not in circles. A run sees all modules in the versions of one moment.`,
  },
  {
    title: "Limits",
    text: [
      limitsTable,
      "",
      "A script's settings choose within these; the operator can change what is at most. Beyond a limit the run ends: 507, or 504 for " +
        `time. A source has at most ${bytes(MAX_SOURCE_BYTES)}.`,
    ].join("\n"),
  },
];
