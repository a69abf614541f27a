import { looksSecret, NOT_RECORDED } from "./secret-names.ts";

/** Told the name of each value that was taken out, with the names around it: `user.password`. */
export type OnMasked = (name: string) => void;

/**
 * JSON text without the values of members whose names look secret. The rest stays as received: numbers keep all their
 * digits. Takes any text in linear time; one that is cut off, or is no JSON, is searched as far as it looks like some.
 */
export function maskJson(text: string, onMasked: OnMasked): string {
  let out = "";
  let copied = 0;
  /** Names that lead to where we are; empty ones are lists. */
  const around: string[] = [];
  let member = "";
  for (let at = 0; at < text.length;) {
    const character = text[at];
    if (character === "{" || character === "[") {
      around.push(member);
      member = "";
      at++;
    } else if (character === "}" || character === "]" || character === ",") {
      if (character !== ",") around.pop();
      member = "";
      at++;
    } else if (character === '"') {
      const end = endOfString(text, at);
      const colon = skipSpace(text, end);
      if (text[colon] !== ":") {
        at = end;
        continue;
      }
      member = unquoted(text.slice(at, end));
      at = skipSpace(text, colon + 1);
      if (looksSecret(member)) {
        out += `${text.slice(copied, at)}"${NOT_RECORDED}"`;
        onMasked([...around.slice(-3), member].filter((name) => name !== "").join("."));
        at = copied = endOfValue(text, at);
      }
    } else at++;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** A query, or a form that was sent as one. */
export function maskPairs(text: string, onMasked: OnMasked): string {
  if (!text.includes("=")) return text;
  return text
    .split("&")
    .map((pair) => {
      const equals = pair.indexOf("=");
      const name = equals === -1 ? "" : decoded(pair.slice(0, equals));
      if (!looksSecret(name)) return pair;
      onMasked(name);
      return pair.slice(0, equals + 1) + NOT_RECORDED;
    })
    .join("&");
}

/** `multipart/form-data` (RFC 7578), as text; bytes as Latin-1. */
export function maskMultipart(text: string, onMasked: OnMasked): string {
  let out = "";
  let copied = 0;
  for (let at = text.indexOf(NAME); at !== -1; at = text.indexOf(NAME, at)) {
    const start = at + NAME.length;
    const name = text.slice(start, text.indexOf('"', start) + 1 || undefined).replace(/"$/, "");
    const blank = text.indexOf("\r\n\r\n", start);
    if (blank === -1) break;
    at = blank;
    if (!looksSecret(name)) continue;
    const end = text.indexOf("\r\n--", blank + 4);
    at = end === -1 ? text.length : end;
    onMasked(name);
    out += text.slice(copied, blank + 4) + NOT_RECORDED;
    copied = at;
  }
  return copied === 0 ? text : out + text.slice(copied);
}

/** Not that of `filename="…"`. */
const NAME = ' name="';

/** After the closing quote, or the end of the text. @param at of the opening quote */
function endOfString(text: string, at: number): number {
  for (let index = at + 1; index < text.length; index++) {
    const character = text[index];
    if (character === "\\") index++;
    else if (character === '"') return index + 1;
  }
  return text.length;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      at = endOfString(text, at) - 1;
      if (depth === 0) return at + 1;
    } else if (character === "{" || character === "[") depth++;
    else if (character === "}" || character === "]") {
      if (depth === 0) return at;
      if (--depth === 0) return at + 1;
    } else if (depth === 0 && (character === "," || isSpace(character))) return at;
  }
  return text.length;
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (isSpace(text[at])) at++;
  return at;
}

const isSpace = (character: string | undefined): boolean =>
  character === " " || character === "\n" || character === "\r" || character === "\t";

function unquoted(token: string): string {
  try {
    return String(JSON.parse(token));
  } catch {
    return token.slice(1);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
