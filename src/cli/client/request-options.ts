import { usageError } from "../command-error.ts";
import { readBytes, readText, STDIN } from "../source-files.ts";

/** What `--body` stands for: the text itself, `@FILE`, or `@-` for stdin. */
export const bodyOf = async (text: string): Promise<Uint8Array> =>
  text.startsWith("@") ? readBytes(fileOf(text)) : Buffer.from(text);

/** Likewise, where it can only be a text. */
export const textBodyOf = async (text: string): Promise<string> =>
  text.startsWith("@") ? readText(fileOf(text)) : text;

const fileOf = (text: string): string => (text === "@-" ? STDIN : text.slice(1));

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
