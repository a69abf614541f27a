import type { Diagnostic } from "../rhai/index.ts";

/**
 * Whether an input only lacks its end, so that more lines may complete it. Told by where its error is: behind
 * everything that was entered, or at the beginning of a string that may run on over lines.
 * @param firstLine the number that diagnostics give to the first line of the input
 * @param check reads a text without running it
 */
export function isIncomplete(
  input: string,
  firstLine: number,
  check: (text: string) => readonly Diagnostic[],
): boolean {
  const [error] = check(input);
  if (error === undefined) return isInComment(input, check);
  if (error.line === null) return false;
  const lines = input.split("\n").slice(error.line - firstLine);
  const rest = [[...(lines[0] ?? "")].slice((error.column ?? 1) - 1).join(""), ...lines.slice(1)].join("\n");
  // Strings in double quotes and chars end with their line, unless it ends in a backslash.
  if (error.code === "UnterminatedString") return !/^["']/.test(rest) || rest.endsWith("\\");
  return rest.trim() === "";
}

/** A comment without an end is none to the parser; it swallows whatever follows, also what could not stand there. */
const isInComment = (input: string, check: (text: string) => readonly Diagnostic[]): boolean =>
  input.includes("/*") && check(`${input}\n(`).length === 0;
