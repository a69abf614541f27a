import { describe, expect, test } from "bun:test";
import { columnOf, lineOf, type Token, tokenize } from "../../../src/rhai/syntax/index.ts";
import { Lexer } from "../../../src/rhai/syntax/lexer.ts";

const kinds = (source: string): string =>
  tokenize(source)
    .map((token) => token.kind)
    .join(" ");
const values = (source: string): unknown[] => tokenize(source).map((token) => token.value);
const texts = (source: string): string[] => tokenize(source).map((token) => token.text);
const only = (source: string): Token => {
  const [token, ...rest] = tokenize(source);
  if (token === undefined || rest.length > 0) throw new Error(`${source} is not one token`);
  return token;
};
const problem = (source: string): string => {
  const token = tokenize(source).find((each) => each.kind === "Error");
  return token === undefined
    ? "none"
    : `${token.problem?.message} @${lineOf(token.pos)}:${columnOf(token.pos)}`;
};

describe("numbers", () => {
  test("integers have 64 bits and are bigints beyond 2^53", () => {
    expect(values("0 42 9007199254740991 9007199254740992 9223372036854775807")).toEqual([
      0,
      42,
      9007199254740991,
      9007199254740992n,
      9223372036854775807n,
    ]);
  });

  test("an integer that is too large becomes a float, unless a minus touches it", () => {
    expect(only("9223372036854775808")).toMatchObject({ kind: "Float", value: 9223372036854775808 });
    expect(only("-9223372036854775808")).toMatchObject({ kind: "Int", value: -9223372036854775808n });
    expect(kinds("- 9223372036854775808")).toBe("unary- Float");
  });

  test("other bases are bit patterns", () => {
    expect(values("0xff 0XFF 0o17 0b101 0xffffffffffffffff 0x8000000000000000")).toEqual([
      255,
      255,
      15,
      5,
      -1,
      -(2n ** 63n),
    ]);
    expect(problem("0x")).toBe("Invalid number: '' @1:1");
    expect(problem("0x10000000000000000")).toBe("Invalid number: '10000000000000000' @1:1");
    expect(problem("-0xff")).toBe("Invalid number: 'xff' @1:1");
  });

  test("underscores separate digits and may trail", () => {
    expect(values("1_000 1__0 1_ 0x_f_f 1_0.5_0")).toEqual([1000, 10, 1, 255, 10.5]);
  });

  test("a period makes a float unless a name, an underscore or another period follows", () => {
    expect(kinds("1.5 1.;")).toBe("Float Float ;");
    expect(kinds("1.x")).toBe("Int . Name");
    expect(kinds("1._x")).toBe("Int . Name");
    expect(kinds("1..2 1..=2")).toBe("Int .. Int Int ..= Int");
    expect(kinds("1.")).toBe("Int .");
    expect(values("1.5e3 1e-2 2E+2")).toEqual([1500, 0.01, 200]);
    expect(kinds("1e5e5")).toBe("Float Name");
    expect(problem("1e+")).toBe("Invalid number: '1e+' @1:1");
  });

  test("a minus belongs to the number where an operand is due", () => {
    expect(kinds("a -1")).toBe("Name - Int");
    expect(kinds("(-1)")).toBe("( Int )");
    expect(kinds("return -1")).toBe("return Int");
    expect(kinds("a => -1")).toBe("Name => - Int");
    expect(only("-0").value).toBe(0);
    expect(Object.is(only("-0.0").value, -0)).toBe(true);
  });
});

describe("strings", () => {
  test("escapes and doubled quotes", () => {
    expect(only(String.raw`"a\n\t\r\\\"\x41\u00e9\U0001F600"`).text).toBe('a\n\t\r\\"Aé😀');
    expect(only('"a ""b"" c"').text).toBe('a "b" c');
  });

  test("faulty escapes are named with what was read of them", () => {
    expect(problem(String.raw`"\q"`)).toBe("Invalid escape sequence: '\\q' @1:3");
    expect(problem(String.raw`"\x4g"`)).toBe("Invalid escape sequence: '\\x4g' @1:5");
    expect(problem(String.raw`"\ud800"`)).toBe("Invalid escape sequence: '\\ud800' @1:7");
    expect(problem(String.raw`"\U00110000"`)).toBe("Invalid escape sequence: '\\U00110000' @1:11");
  });

  test("a line may go on after a backslash, without the indentation up to the quote", () => {
    expect(only('"a\\\n b"').text).toBe("ab");
    expect(only('"a\\\r\n  b"').text).toBe("a b");
    expect(tokenize('  "a\\\n    b"')[0]?.text).toBe("a b");
    expect(problem('"a\nb"')).toBe("Open string is not terminated @1:1");
  });

  test("back-tick strings keep lines and backslashes, but not the first line end", () => {
    expect(only("`a\\n\r\nb`").text).toBe("a\\n\nb");
    expect(only("`\na`").text).toBe("a");
    expect(only("`\r\na`").text).toBe("a");
    expect(only("`a``b`").text).toBe("a`b");
    expect(only("`a\\${b}`").text).toBe("a${b}");
    expect(problem("`a")).toBe("Open string is not terminated @1:1");
  });

  test("raw strings end at a quote with as many hashes", () => {
    expect(only('#"a\\n"b"#').text).toBe('a\\n"b');
    expect(only('##"a"#b"##').text).toBe('a"#b');
    expect(problem("##a")).toBe("Unexpected 'a' @1:1");
    expect(problem('#"a')).toBe("Open string is not terminated @1:1");
  });

  test("characters are one scalar", () => {
    expect(texts("'a' '😀' '\\n' '\\''")).toEqual(["a", "😀", "\n", "'"]);
    expect(problem("''")).toBe("Invalid character: '' @1:1");
    expect(problem("'ab'")).toBe("Invalid character: 'ab' @1:1");
  });

  test("sizes are limited in bytes", () => {
    const lex = (source: string) => new Lexer(source, { maxStringSize: 4 }).next().problem?.message ?? "fits";
    expect(["'a'", '"abcd"', '"éé"', "`abcd`", '#"abcd"#'].map(lex)).toEqual(Array(5).fill("fits"));
    expect(['"abcde"', '"ééa"', "`abcde`", '#"abcde"#'].map(lex)).toEqual(
      Array(4).fill("Length of string exceeds the maximum limit (4)"),
    );
  });
});

describe("holes of back-tick strings", () => {
  test("text and code alternate", () => {
    expect(kinds("`a${b}c${d}e`")).toBe("Interpolated { Name } Interpolated { Name } Str");
    expect(texts("`a${b}c`")).toEqual(["a", "{", "b", "}", "c"]);
  });

  test("braces and strings within are followed", () => {
    expect(kinds("`${#{a: {1}}}`;")).toBe("Interpolated { #{ Name : { Int } } } Str ;");
    expect(kinds("`${`${1}`}`")).toBe("Interpolated { Interpolated { Int } Str } Str");
  });
});

describe("names, words and symbols", () => {
  test("a name is ASCII with a letter behind its underscores", () => {
    expect(kinds("x _x __a_1 _")).toBe("Name Name Name _");
    expect(problem("_1")).toBe("Variable name is not proper: '_1' @1:1");
    expect(problem("漢")).toBe("Unexpected '漢' @1:1");
  });

  test("reserved words are told from names", () => {
    expect(kinds("this print goto exit global")).toBe("Reserved Reserved Reserved Name Name");
  });

  test("symbols are as long as they can be", () => {
    expect(kinds("a <<= b ** c **= d ..= e ?. f ?? g ?[ h")).toBe(
      "Name <<= Name ** Name **= Name ..= Name ?. Name ?? Name ?[ Name",
    );
    expect(kinds("a!in b a!inx")).toBe("Name !in Name Name ! Name");
    expect(kinds("() ( )")).toBe("() ( )");
  });

  test("symbols of other languages have messages of their own", () => {
    expect(problem("a === b")).toBe(
      "'===' is not a valid operator. This is not JavaScript! Should it be '=='? @1:3",
    );
    expect(problem("# {")).toBe("'#' is not a valid symbol. Should it be '#{'? @1:1");
    expect(kinds("++ -- ~ @ $ ? ... #! #")).toBe(
      "Reserved Reserved Reserved Reserved Reserved Reserved Reserved Reserved ! Reserved",
    );
  });
});

describe("comments", () => {
  test("come as tokens on request, without the end of their line", () => {
    const source = "a // b\r\n/* c /* d */ */ e";
    expect(tokenize(source).map(({ kind, start, end }) => [kind, source.slice(start, end)])).toEqual([
      ["Name", "a"],
      ["Comment", "// b"],
      ["Comment", "/* c /* d */ */"],
      ["Name", "e"],
    ]);
    expect(tokenize(source, { comments: false }).length).toBe(2);
  });

  test("a block comment that is never closed swallows the rest", () => {
    expect(kinds("a /* b */ c /* d /* e */")).toBe("Name Comment Name Comment");
  });

  test("documentation hangs on the token behind it", () => {
    const [, fn] = tokenize("x /// a\n/// b\n// no\n/**\n * c\n */\n//// no\nfn f() {}", { comments: false });
    expect(fn?.kind).toBe("fn");
    expect(fn?.docs).toEqual(["/// a\n/// b", "/**\n * c\n */"]);
  });
});

describe("places", () => {
  const place = (source: string): string => {
    const token = tokenize(source).at(-1);
    return token === undefined ? "" : `${lineOf(token.pos)}:${columnOf(token.pos)}`;
  };

  test("columns count Unicode scalars", () => {
    expect(place('"😀" x')).toBe("1:5");
    expect(place("'漢'/*é*/x")).toBe("1:9");
  });

  test("every kind of line end counts where the official scanner counts it", () => {
    expect(place("a\nb")).toBe("2:1");
    expect(place("a\r\n\tb")).toBe("2:2");
    expect(place("a\rb")).toBe("1:3");
    expect(place("// a\rb")).toBe("2:1");
    expect(place("`a\nb` c")).toBe("2:4");
  });

  test("stop at the largest 16-bit number", () => {
    expect(place(`${"\n".repeat(70_000)}x`)).toBe("65535:1");
    expect(place(`${" ".repeat(70_000)}x`)).toBe("1:65535");
  });

  test("tokens cover the source without overlap", () => {
    const source = 'let x = `a${1 + f("b")}c`; // d\nfn f(y) { y ?? #"e"# }';
    let end = 0;
    for (const token of tokenize(source)) {
      expect(token.start).toBeGreaterThanOrEqual(end);
      expect(source.slice(end, token.start).trim()).toBe("");
      ({ end } = token);
    }
    expect(source.slice(end).trim()).toBe("");
  });
});
