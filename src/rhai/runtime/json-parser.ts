import { INT_MAX, INT_MIN, normalizeInt } from "./int.ts";
import { JsonError } from "./json-error.ts";
import { Float, RhaiArray, RhaiMap, type Value } from "./values.ts";

/**
 * A JSON parser that tells integers from floats and keeps integers of 64 bits exact. Throws a JsonError with line
 * and column (both from 1, columns in UTF-16 units).
 */
export function parseJsonExactly(text: string, maxDepth: number): Value {
  const parser = new Parser(text, maxDepth);
  const value = parser.value(maxDepth);
  parser.end();
  return value;
}

const NUMBER = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const SPACE = /[ \t\r\n]*/y;
/** A string up to its first escape, or to its closing quote. */
const STRING = /"[^"\\\u0000-\u001f]*/y;
/** Some escapes, with what follows each: not all at once, since the engine gives up on a group that is repeated too often. */
const ESCAPES = /(?:\\.[^"\\\u0000-\u001f]*){1,50}/y;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  value(depth: number): Value {
    this.#skipSpace();
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(depth);
      case 0x5b:
        return this.#array(depth);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word("true", true);
      case 0x66:
        return this.#word("false", false);
      case 0x6e:
        return this.#word("null", undefined);
      default:
        return this.#number();
    }
  }

  end(): void {
    this.#skipSpace();
    if (this.#at < this.#text.length) this.#fail("expected the end of the text");
  }

  #object(depth: number): Value {
    if (depth === 0) this.#fail(`nested deeper than ${this.#maxDepth} levels`);
    const entries = new Map<string, Value>();
    this.#at++;
    if (this.#takes("}")) return RhaiMap.of(entries);
    do {
      this.#skipSpace();
      if (this.#text[this.#at] !== '"') this.#fail("expected a name in double quotes");
      const key = this.#string();
      if (!this.#takes(":")) this.#fail("expected ':'");
      entries.set(key, this.value(depth - 1));
    } while (this.#takes(","));
    if (!this.#takes("}")) this.#fail("expected ',' or '}'");
    return RhaiMap.of(entries);
  }

  #array(depth: number): Value {
    if (depth === 0) this.#fail(`nested deeper than ${this.#maxDepth} levels`);
    const items: Value[] = [];
    this.#at++;
    if (this.#takes("]")) return new RhaiArray(items);
    do items.push(this.value(depth - 1));
    while (this.#takes(","));
    if (!this.#takes("]")) this.#fail("expected ',' or ']'");
    return new RhaiArray(items);
  }

  #string(): string {
    STRING.lastIndex = this.#at;
    STRING.test(this.#text);
    const firstEscape = STRING.lastIndex;
    let end = firstEscape;
    while (this.#text.charCodeAt(end) === BACKSLASH) {
      ESCAPES.lastIndex = end;
      if (!ESCAPES.test(this.#text)) break;
      end = ESCAPES.lastIndex;
    }
    if (this.#text.charCodeAt(end) !== QUOTE)
      return this.#fail("a text in double quotes is not ended, or holds a line end or control character");
    const raw = this.#text.slice(this.#at, end + 1);
    if (end === firstEscape) {
      this.#at += raw.length;
      return raw.slice(1, -1).toWellFormed();
    }
    let text = "";
    try {
      text = String(JSON.parse(raw));
    } catch {
      this.#fail("a text in double quotes has an escape that JSON does not know");
    }
    this.#at += raw.length;
    return text.toWellFormed();
  }

  #number(): Value {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null)
      return this.#fail(this.#at < this.#text.length ? "expected a value" : "the text ends too early");
    const [digits, fraction, exponent] = found;
    this.#at += digits.length;
    if (fraction !== undefined || exponent !== undefined) return new Float(Number(digits));
    if (digits.length < 16) return Number(digits) + 0;
    const whole = BigInt(digits);
    return whole >= INT_MIN && whole <= INT_MAX ? normalizeInt(whole) : new Float(Number(digits));
  }

  #word(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) this.#fail("expected a value");
    this.#at += word.length;
    return value;
  }

  #takes(character: string): boolean {
    this.#skipSpace();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #skipSpace(): void {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.#text);
    this.#at = SPACE.lastIndex;
  }

  #fail(problem: string): never {
    const before = this.#text.slice(0, this.#at).split("\n");
    throw new JsonError(`line ${before.length}, column ${(before.at(-1) ?? "").length + 1}: ${problem}`);
  }
}
