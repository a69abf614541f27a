import { JsonError, parseJson } from "../rhai/index.ts";

/** Whether a JSON text holds a NUL character, which jsonb cannot. An even number of backslashes before it makes it text. */
export const holdsNul = (json: string): boolean =>
  json.includes("\\u0000") && /(?<!\\)(?:\\\\)*\\u0000/.test(json);

/** Why a text is not taken as JSON to be stored, in words that go on after what it is. */
export class JsonTextError extends Error {
  override readonly name = "JsonTextError";
  /** It is no JSON at all, rather than JSON that cannot be stored. */
  readonly isMalformed: boolean;
  constructor(message: string, isMalformed: boolean) {
    super(message);
    this.isMalformed = isMalformed;
  }
}

/**
 * A JSON text as it is stored: without the space between its parts, and each number with the digits that it was written
 * with. A script can read all that passes.
 * @param maxBytes of UTF-8
 * @throws JsonTextError for what is no JSON, too large, nested too deep, or cannot be held by jsonb or by a float
 */
export function exactJson(text: string, maxBytes: number): string {
  checkIsJson(text);
  let json = "";
  for (const token of tokensOf(text)) {
    if (token.startsWith('"')) checkString(token);
    else if (/^[-\d]/.test(token)) checkNumber(token);
    json += token;
  }
  if (Buffer.byteLength(json) > maxBytes) throw unfit(`is larger than ${maxBytes} bytes as JSON`);
  return json;
}

/**
 * The members of a JSON object, each with the text of its value. Of two with one name the last one counts, as in jsonb.
 * @throws JsonTextError for what is no JSON object
 */
export function membersOf(text: string): Map<string, string> {
  checkIsJson(text);
  const tokens = tokensOf(text);
  if (tokens.next().value !== "{") throw unfit("is not a JSON object");
  const members = new Map<string, string>();
  let depth = 0;
  let name: string | null = null;
  let value = "";
  for (const token of tokens) {
    if (depth === 0 && (token === "," || token === "}")) {
      if (name !== null) members.set(name, value);
      [name, value] = [null, ""];
    } else if (name === null) {
      name = String(JSON.parse(token));
    } else if (value !== "" || token !== ":") {
      if (token === "{" || token === "[") depth++;
      if (token === "}" || token === "]") depth--;
      value += token;
    }
  }
  return members;
}

function checkIsJson(text: string): void {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) throw new JsonTextError(`is not JSON: ${error.message}`, true);
    throw error;
  }
}

const unfit = (why: string): JsonTextError => new JsonTextError(why, false);

function checkString(token: string): void {
  if (!token.includes("\\u") && token.isWellFormed()) return;
  const text = String(JSON.parse(token));
  if (text.includes("\0")) throw unfit("holds a NUL character");
  if (!text.isWellFormed()) throw unfit("holds half of a surrogate pair");
}

/** jsonb writes 1e100000 out with all its digits. */
function checkNumber(token: string): void {
  const value = Number(token);
  const [digits = ""] = token.split(/e/i);
  if (Number.isFinite(value) && (value !== 0 || !/[1-9]/.test(digits))) return;
  throw unfit("holds a number that is beyond the range of floats");
}

/** The parts of a JSON text, without the space between them. */
function* tokensOf(json: string): Generator<string, void> {
  for (let at = 0, end = 0; at < json.length; at = end) {
    const character = json.charAt(at);
    end = at + 1;
    if (character === '"') end = endOfString(json, at);
    else if (/[-\w]/.test(character)) while (end < json.length && /[-+.\w]/.test(json.charAt(end))) end++;
    if (!/\s/.test(character)) yield json.slice(at, end);
  }
}

function endOfString(json: string, start: number): number {
  for (let quote = json.indexOf('"', start + 1); quote !== -1; quote = json.indexOf('"', quote + 1)) {
    let first = quote;
    while (json.charAt(first - 1) === "\\") first--;
    if ((quote - first) % 2 === 0) return quote + 1;
  }
  return json.length;
}
