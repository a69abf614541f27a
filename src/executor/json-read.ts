import { Float, RhaiArray, RhaiMap, type Value } from "../rhai/index.ts";

/** Why a text is not JSON, and where. */
export class JsonProblem {
  readonly message: string;
  constructor(message: string) {
    this.message = message;
  }
}

/** Deeper nesting than anybody writes; what is deeper is taken for an attack. */
const MAX_DEPTH = 128;

const INT_MAX = 2n ** 63n - 1n;
const INT_MIN = -(2n ** 63n);

/**
 * Reads JSON into values of the language. Not JSON.parse, because it turns all numbers into doubles: here `1` is an
 * integer of 64 bits and `1.0` a float. Integers beyond 64 bits become floats. The last of equal keys wins.
 * @throws JsonProblem
 */
export function readJson(text: string): Value {
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.space();
  if (reader.at < text.length) reader.fail("unexpected text after the value");
  return value;
}

const SPACE = /[ \t\n\r]*/y;
const STRING = /"((?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*)"/y;
const PLAIN_STRING = /"([^"\\\u0000-\u001f]*)"/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;

class Reader {
  readonly text: string;
  at = 0;
  constructor(text: string) {
    this.text = text;
  }

  fail(what: string): never {
    const line = this.text.slice(0, this.at).split("\n").length;
    const column = this.at - this.text.lastIndexOf("\n", this.at - 1);
    throw new JsonProblem(`${what} at line ${line}, column ${column}`);
  }

  space(): void {
    const code = this.text.charCodeAt(this.at);
    if (code > 32) return;
    SPACE.lastIndex = this.at;
    SPACE.test(this.text);
    this.at = SPACE.lastIndex;
  }

  value(depth: number): Value {
    if (depth > MAX_DEPTH) this.fail(`more than ${MAX_DEPTH} levels of nesting`);
    this.space();
    switch (this.text[this.at]) {
      case "{":
        return this.map(depth);
      case "[":
        return this.array(depth);
      case '"':
        return this.string();
      case "t":
        return this.word("true", true);
      case "f":
        return this.word("false", false);
      case "n":
        return this.word("null", undefined);
      case undefined:
        return this.fail("unexpected end");
      default:
        return this.number();
    }
  }

  word(word: string, value: Value): Value {
    if (!this.text.startsWith(word, this.at)) this.fail("unexpected text");
    this.at += word.length;
    return value;
  }

  string(): string {
    PLAIN_STRING.lastIndex = this.at;
    const plain = PLAIN_STRING.exec(this.text);
    if (plain !== null) {
      this.at = PLAIN_STRING.lastIndex;
      return (plain[1] ?? "").toWellFormed();
    }
    STRING.lastIndex = this.at;
    const found = STRING.exec(this.text);
    if (found === null) return this.fail("a string that does not end or holds what must be escaped");
    this.at = STRING.lastIndex;
    return (JSON.parse(found[0]) as string).toWellFormed();
  }

  number(): Value {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) return this.fail("unexpected text");
    this.at = NUMBER.lastIndex;
    const value = Number(found[0]);
    if (found[1] !== undefined || found[2] !== undefined) return new Float(value);
    if (Number.isSafeInteger(value)) return value + 0;
    const exact = BigInt(found[0]);
    return exact >= INT_MIN && exact <= INT_MAX ? exact : new Float(value);
  }

  array(depth: number): RhaiArray {
    const items: Value[] = [];
    this.at++;
    this.space();
    if (this.text[this.at] === "]") this.at++;
    else {
      do items.push(this.value(depth + 1));
      while (this.more("]"));
    }
    return new RhaiArray(items);
  }

  map(depth: number): RhaiMap {
    const entries = new Map<string, Value>();
    this.at++;
    this.space();
    if (this.text[this.at] === "}") this.at++;
    else {
      do {
        this.space();
        if (this.text[this.at] !== '"') this.fail("a key in quotes expected");
        const key = this.string();
        this.space();
        if (this.text[this.at++] !== ":") {
          this.at--;
          this.fail('":" expected');
        }
        entries.set(key, this.value(depth + 1));
      } while (this.more("}"));
    }
    return new RhaiMap(entries);
  }

  /** After an element: true behind a comma, false behind the closing bracket. */
  more(close: string): boolean {
    this.space();
    const next = this.text[this.at];
    if (next !== "," && next !== close) this.fail(`"," or "${close}" expected`);
    this.at++;
    return next === ",";
  }
}
