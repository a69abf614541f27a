import { usageError } from "../command-error.ts";
import { readText, STDIN } from "../source-files.ts";

/** What `--body` stands for: the text itself, `@FILE`, or `@-` for stdin. */
export async function bodyOf(text: string): Promise<string> {
  if (!text.startsWith("@")) return text;
  return readText(text === "@-" ? STDIN : text.slice(1));
}

/** What `--header` stands for, each `NAME:VALUE`. @throws CommandError (usage) */
export function headersOf(given: readonly string[]): Headers {
  const headers = new Headers();
  for (const text of given) {
    const [, name, value] = /^([^:]+):\s*(.*)$/s.exec(text) ?? [];
    try {
      if (name === undefined || value === undefined) throw new TypeError("no colon");
      headers.append(name, value);
    } catch {
      throw usageError(`--header "${text}" is not of the form NAME:VALUE.`);
    }
  }
  return headers;
}
