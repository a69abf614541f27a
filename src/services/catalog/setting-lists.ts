import { isIP } from "node:net";
import { invalid } from "../../shared/errors.ts";
import { isHostName } from "../routes/index.ts";

/** Settings of an app that are lists, by the names of the API. */
const SETTING_LISTS = { cors_origins: origin, outbound_allow: address };
export type SettingList = keyof typeof SETTING_LISTS;

/**
 * A list in the form in which it is kept: origins and addresses in one spelling, each once.
 * @throws AppError 422 `validation` with the field at fault
 */
export function normaliseList(name: SettingList, texts: readonly string[]): string[] {
  return each(texts, name, SETTING_LISTS[name]);
}

function each(
  texts: readonly string[],
  field: string,
  read: (text: string) => { readonly value: string | null; readonly expected: string },
): string[] {
  const values = texts.map((text, index) => {
    const { value, expected } = read(text);
    if (value !== null) return value;
    throw invalid("validation", `${field}.${index}: not acceptable; expected ${expected}.`, {
      details: { field: `${field}.${index}`, expected },
    });
  });
  return [...new Set(values)];
}

/** As browsers send it in Origin: scheme, host, and the port unless it is the scheme's own (RFC 6454). */
function origin(text: string) {
  const expected = "an origin such as https://example.com, without a path, or *";
  if (text === "*") return { value: text, expected };
  const isOrigin = /^https?:\/\/[^/?#@\s]+$/i.test(text) && URL.canParse(text);
  return { value: isOrigin ? new URL(text).origin : null, expected };
}

function address(written: string) {
  const text = written.toLowerCase();
  const expected = "an address such as 192.168.1.5:8086, [fd00::1]:80 or nas.local:80";
  const [, bracketed, plain = "", port = ""] =
    /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const isHost = bracketed === undefined ? isIP(plain) === 4 || isHostName(plain) : isIP(bracketed) === 6;
  const isPort = Number(port) >= 1 && Number(port) <= 65_535;
  return { value: isHost && isPort ? text : null, expected };
}
