import { display, type Value } from "../../../rhai/index.ts";
import { pure, type SdkFunction, type SdkNamespace } from "../define.ts";
import { any, optional } from "../params.ts";
import { MAX_BYTES, MAX_ENTRIES } from "../run-log.ts";

const LEVELS = ["trace", "info", "warn", "error"] as const;

export const log: SdkNamespace = {
  name: "log",
  doc:
    `Lines of the execution's log. A run may write ${MAX_ENTRIES}, of ${MAX_BYTES / 1024} KiB each for the message and for the data; ` +
    "longer ones are cut, and a last line counts those that were too many. `print` writes at level info, `debug` at trace. " +
    "There is no `log::debug`, as `debug` is a word of the language: use `log::trace`.",
  functions: LEVELS.map(logFunction),
};

function logFunction(level: (typeof LEVELS)[number]): SdkFunction {
  return pure({
    name: level,
    params: [any("message"), optional(any("data"))],
    returns: "()",
    doc: `Writes a line at level ${level}: any value, as \`print\` shows it, and data that is kept as JSON.`,
    example: { source: `log::${level}("paid", #{ order: 17, total: 9.5 })`, result: "()" },
    call: ({ run, native }, message, ...data) => {
      run.log.add(level, textOf(message, native.limits.maxStringSize), ...data);
    },
  });
}

const textOf = (message: Value, maxSize: number): string =>
  typeof message === "object" ? display(message, maxSize) : display(message);
