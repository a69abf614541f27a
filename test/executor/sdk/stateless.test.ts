import { afterAll, describe, expect, test } from "bun:test";
import { debugText, Engine, type RunResult } from "../../../src/rhai/index.ts";
import { nativeModules } from "../../../src/executor/sdk/define.ts";
import { RunLog } from "../../../src/executor/sdk/run-log.ts";
import { RunContext } from "../../../src/executor/sdk/run-context.ts";
import { stateless } from "../../../src/executor/sdk/stateless/index.ts";
import { startExecutor } from "../support/runs.ts";

const engine = new Engine({ modules: nativeModules(stateless) });
const LIMITS = {
  maxStringSize: 1024 * 1024,
  maxArraySize: 100_000,
  maxMemory: 64 * 1024 * 1024,
  maxOperations: 10_000_000,
};

async function run(source: string): Promise<RunResult> {
  const compiled = engine.compile(source, { limits: LIMITS });
  if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
  return compiled.script.run({
    limits: LIMITS,
    context: new RunContext({
      appId: "app",
      scriptId: "script",
      executionId: "run",
      log: new RunLog(),
      deadline: Infinity,
      origin: null,
      maxCalls: 0,
    }),
  });
}

/** The value in debug form, or the error's message without its position. */
async function outcome(source: string): Promise<string> {
  const result = await run(source);
  return result.ok ? debugText(result.value) : result.error.text.replace("Runtime error: ", "");
}

function table(rows: Readonly<Record<string, string>>): void {
  for (const [source, expected] of Object.entries(rows)) {
    test(source.length > 100 ? `${source.slice(0, 100)}…` : source, async () => {
      expect(await outcome(source)).toBe(expected);
    });
  }
}

describe("regex", () => {
  table({
    'regex::is_match("café au lait", "caf.")': "true",
    'regex::is_match("abc", "^b")': "false",
    'regex::find("joe@example.com", "@(.+)")': '"@example.com"',
    'regex::find("abc", "x")': "()",
    'regex::find_all("a1b22c333", "\\\\d+")': '["1", "22", "333"]',
    'regex::find_all("abc", "")': '["", "", "", ""]',
    'regex::captures("joe@x.com", "(\\\\w+)@(?P<host>\\\\w+)(!)?")':
      '#{"0": "joe@x", "1": "joe", "2": "x", "3": (), "host": "x"}',
    'regex::captures("a", "b")': "()",
    'regex::replace("a1b2", "\\\\d", "#")': '"a#b2"',
    'regex::replace_all("a1b2", "(?<d>\\\\d)", "<$1${d}$$>")': '"a<11$>b<22$>"',
    'regex::replace_all("aaa", "", "-")': '"-a-a-a-"',
    'regex::split("a, b,,c", ",\\\\s*")': '["a", "b", "", "c"]',
    'regex::split("abc", "")': '["a", "b", "c"]',
    'regex::split("", ",")': '[""]',
    'regex::find("x😀y", ".y")': '"😀y"',
    'regex::is_match("a", "(?=a)")':
      "regex::is_match: the pattern is not valid: error parsing regexp: invalid or unsupported Perl syntax: `(?=`",
    'regex::is_match("a", "(a)\\\\1")':
      "regex::is_match: the pattern is not valid: error parsing regexp: invalid escape sequence: `\\1`",
    'regex::is_match("a", "(")':
      "regex::is_match: the pattern is not valid: error parsing regexp: missing closing ): `(`",
    'regex::replace("a", "a", "$2")':
      "regex::replace: replacement names the group 2, which the pattern does not have",
    'regex::find(1, "a")': "regex::find: text must be a string, not i64",
    "regex::find(\"a\", ['a'])": "regex::find: pattern must be a string, not array",
    'let p = ""; p.pad(4097, "a"); regex::find("a", p)': "regex::find: pattern is longer than 4096 bytes",
    'regex::is_match("a", "((a{100}){100}){100}")':
      "regex::is_match: the pattern is not valid: error parsing regexp: invalid repeat count: `{100}`",
    'let x = ""; x.pad(100000, "a"); regex::replace_all(x, "a", x)': "Length of string too large",
  });

  test("takes time in proportion to the text, where a backtracking engine would never end", async () => {
    expect(await outcome('let x = ""; x.pad(30000, "a"); regex::is_match(x, "^(a+)+$|^(a|aa)+b$")')).toBe(
      "true",
    );
  });

  test("is metered: matching a long text over and over ends within the limit of operations", async () => {
    const result = await run('let x = ""; x.pad(100000, "a"); loop { regex::is_match(x, "b") }');
    expect(result).toMatchObject({ ok: false, error: { kind: "ErrorTooManyOperations" } });
  });
});

describe("random", () => {
  table({
    "let ok = true; for i in 0..500 { let x = random::int(-2, 3); ok &= x >= -2 && x <= 3 } ok": "true",
    "let seen = #{}; for i in 0..500 { seen[random::int(1, 4).to_string()] = true } seen.len()": "4",
    "random::int(7, 7)": "7",
    "type_of(random::int(-9223372036854775808, 9223372036854775807))": '"i64"',
    "random::int(2, 1)": "random::int: min (2) is greater than max (1)",
    "random::int(1.0, 2)": "random::int: min must be an integer, not f64",
    "let ok = true; for i in 0..500 { let x = random::float(); ok &= x >= 0.0 && x < 1.0 } ok": "true",
    "type_of(random::bool())": '"bool"',
    "random::bytes(16).len() + random::bytes(0).len()": "16",
    "random::bytes(65537)": "random::bytes: count must be from 0 to 65536, not 65537",
    "random::string(20).len()": "20",
    'regex::is_match(random::string(2000), "^[A-Za-z0-9]{1000}[A-Za-z0-9]{1000}$")': "true",
    "random::string(-1)": "random::string: length must be from 0 to 65536, not -1",
    'regex::is_match(random::uuid(), "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")':
      "true",
    "let a = [1, 2, 3]; random::choice(a) in a": "true",
    "random::choice([])": "random::choice: items must not be empty",
    "let a = [3, 1, 2]; let b = random::shuffle(a); b.sort(); b + a": "[1, 2, 3, 3, 1, 2]",
    "let a = [[1]]; let b = random::shuffle(a); b[0].push(2); a": "[[1]]",
  });
});

describe("time", () => {
  table({
    "let n = time::now_ms(); time::now_secs() - n / 1000 <= 1": "true",
    "let n = time::parse(time::now()); (time::now_ms() - n).abs() < 5000": "true",
    'time::parse("2026-01-31T12:00:00.5+01:00")': "1769857200500",
    'time::parse("2026-01-31T12:00:00")': "1769860800000",
    'time::parse("2026-01-31")': "1769817600000",
    'time::parse("31.1.2026")':
      'time::parse: the text is not a date or time such as "2026-01-31" or "2026-01-31T12:00:00Z"',
    'time::parse("2026-02-30")':
      'time::parse: the text is not a date or time such as "2026-01-31" or "2026-01-31T12:00:00Z"',
    'time::format(1769857200500, "iso")': '"2026-01-31T11:00:00.500Z"',
    'time::format(1769857200500, "iso", "Asia/Tokyo")': '"2026-01-31T20:00:00.500+09:00"',
    'time::format(1769857200500, "http")': '"Sat, 31 Jan 2026 11:00:00 GMT"',
    'time::format(1769857200500, "%A %d %B %Y, %H:%M:%S.%L %z %:z | %I %p %j %V %u | %s %%", "America/New_York")':
      '"Saturday 31 January 2026, 06:00:00.500 -0500 -05:00 | 06 AM 031 05 6 | 1769857200 %"',
    'time::format(0, "%Q")': 'time::format: format holds the unknown conversion "%Q"',
    'time::format(0, "%")': 'time::format: format holds the unknown conversion "%"',
    'time::format(0, "%F", "Mars/Olympus")':
      'time::format: timezone must be an IANA name such as "Europe/Berlin", not "Mars/Olympus"',
    'time::format(9000000000000000, "%F")':
      "time::format: ms must be from -8640000000000000 to 8640000000000000, not 9000000000000000",
    'time::add(0, -2, "w")': "-1209600000",
    'time::add(0, 1, "y")': 'time::add: unit must be one of ms, s, m, h, d, w, not "y"',
    'time::add(0, 9007199254740991, "w")': "time::add: the result is outside of the range of dates",
    'time::diff(time::parse("2026-03-02"), time::parse("2026-03-01T01:00:00"), "h")': "23",
    'time::diff(0, 86399999, "d")': "0",
    'time::diff(0, 90000, "m")': "-1",
  });
});

describe("json", () => {
  table({
    'json::parse("{\\"a\\": [1, 1.0, 9007199254740993, null, \\"x\\"]}")':
      '#{"a": [1, 1.0, 9007199254740993, (), "x"]}',
    'json::parse("{\\"__proto__\\": {\\"constructor\\": 1}}")': '#{"__proto__": #{"constructor": 1}}',
    'json::parse("{oops")': "json::parse: line 1, column 2: expected a name in double quotes",
    'json::parse("")': "json::parse: line 1, column 1: the text ends too early",
    "json::stringify(#{b: 1, a: [1.0, 9007199254740993, (), true, 'c', \"\\U0001F600\"]})":
      '"{\\"a\\":[1.0,9007199254740993,null,true,\\"c\\",\\"😀\\"],\\"b\\":1}"',
    "json::stringify(|x| x)": "json::stringify: the value is of type Fn, which JSON cannot hold",
    "json::stringify_pretty(#{a: [1], b: #{}})": '"{\\n  \\"a\\": [\\n    1\\n  ],\\n  \\"b\\": {}\\n}"',
    "json::parse(json::stringify([1, 1.0, -0.0, 9223372036854775807]))":
      "[1, 1.0, -0.0, 9223372036854775807]",
  });
});

describe("base64 and hex", () => {
  table({
    'base64::encode("hä")': '"aMOk"',
    "base64::encode(blob(2, 255))": '"//8="',
    'base64::decode("//8=")': "[ffff]",
    'base64::decode_string("aMOk")': '"hä"',
    'base64::decode_string("//8=")':
      "base64::decode_string: the decoded bytes are not valid UTF-8; decode them to a blob instead",
    'base64::decode("a$==")': "base64::decode: the text is not valid base64",
    'base64::decode("abc")': "base64::decode: the text is not valid base64",
    "base64::encode_url(blob(2, 255))": '"__8"',
    'base64::decode_url("__8")': "[ffff]",
    'base64::decode_url("__8=")': "[ffff]",
    'base64::decode_url("//8")': "base64::decode_url: the text is not valid base64url",
    "base64::encode(1)": "base64::encode: data must be a blob or a string, not i64",
    'hex::encode("hä")': '"68c3a4"',
    'hex::decode("68C3a4")': "[68c3a4]",
    'hex::decode("abc")': "hex::decode: the text is not valid hexadecimal",
    'hex::decode("xy")': "hex::decode: the text is not valid hexadecimal",
  });
});

describe("url", () => {
  table({
    'url::encode("a b/ü?&=\'()*!~")': '"a%20b%2F%C3%BC%3F%26%3D%27%28%29%2A%21~"',
    'url::decode("a%20b%2F%C3%BC+")': '"a b/ü+"',
    'url::decode("%ff")': "url::decode: the text holds a % escape that is malformed, or is not valid UTF-8",
    'url::decode("%4")': "url::decode: the text holds a % escape that is malformed, or is not valid UTF-8",
    'url::parse("https://u:p%40@x.com:8080/p/a?q=1&q=2#f")':
      '#{"fragment": "f", "host": "x.com", "params": #{"q": "2"}, "password": "p@", "path": "/p/a", "port": 8080, "query": "q=1&q=2", "scheme": "https", "username": "u"}',
    'url::parse("/relative")': "url::parse: the text is not an absolute URL",
    'url::build_query(#{b: [1, 2.0, "x y"], a: true, c: ()})': '"a=true&b=1&b=2.0&b=x%20y"',
    "url::build_query(#{a: #{}})":
      "url::build_query: the value of a must be a string, a number, a bool or an array of those, not map",
    'url::parse_query("?a=1&b=x+y%21&a=3&__proto__=p")': '#{"__proto__": "p", "a": "3", "b": "x y!"}',
  });
});

describe("hash", () => {
  table({
    'hash::sha256("abc")': '"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"',
    'hash::sha256("abc".to_blob()) == hash::sha256("abc")': "true",
    'hash::sha1("abc")': '"a9993e364706816aba3e25717850c26c9cd0d89d"',
    // RFC 4231, test case 2.
    'hash::hmac_sha256("Jefe", "what do ya want for nothing?")':
      '"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"',
    'hash::constant_time_eq("a", "a") && !hash::constant_time_eq("a", "b") && !hash::constant_time_eq("a", "aa")':
      "true",
    "hash::sha256([1])": "hash::sha256: data must be a blob or a string, not array",
  });
});

describe("errors", () => {
  test("are strings that a script can catch, and have the place of the call", async () => {
    expect(await outcome('let e = ""; try { hex::decode("x") } catch (x) { e = x } e')).toBe(
      '"hex::decode: the text is not valid hexadecimal"',
    );
    const result = await run('let a = 1;\nhex::decode("x")');
    expect(result.ok ? "" : result.error.message).toEndWith("(line 2, position 6)");
  });
});

describe("in an executor", () => {
  const runs = startExecutor();
  afterAll(() => runs.executor.stop(0));

  test("all namespaces are there", async () => {
    const source =
      '[regex::find("ab", "b"), random::int(1, 1), time::format(0, "%Y"), json::parse("1"), base64::encode("a"), hex::encode("a"), url::encode(" "), hash::sha1("").len()]';
    expect(await runs.answer(source)).toBe('["b",1,"1970",1,"YQ==","61","%20",40]');
  });
});

describe("every call", () => {
  test("counts whole operations", async () => {
    for (const source of [
      'regex::find("abcdefg", "d")',
      'json::parse("[1, 2, 3]")',
      "json::stringify([1])",
      "random::string(3)",
    ]) {
      const result = await run(source);
      expect([source, Number.isInteger(result.operations)]).toEqual([source, true]);
    }
  });
});
