import fc from "fast-check";

/**
 * Whole programs as text: functions, methods, closures that share variables, containers in containers, loops, handlers.
 * They print what they evaluate, in order. Wrong types, missing properties and divisions by zero are as welcome as
 * results; what a handler prints holds no position, so that the layout of the text does not show.
 */
export const program: fc.Arbitrary<string> = build();

const FUNCTIONS = `fn p(n, v) { print(n); v }
fn fail(v) { throw v }
fn same() { this }
fn two(a, b) { [a, b] }
fn set(v) { this = v; v }
fn add(x) { this += x; this }
fn sum(x) { let s = 0; for y in x { s += y; } s }
fn down(n) { if n <= 0 { 0 } else { n + down(n - 1) } }
fn i64.kind() { "int" }
fn string.kind() { "text" }
fn kind() { "other" }
`;

const START = `let i = 1; let j = 2.5; let s = "abc"; let l = [1, 2, 3]; let m = #{a: 1, k: "v", l: [4, 5], m: #{n: 1}};
let f = |x| x + i; let g = |x| { s += x; s.len };
`;

function build(): fc.Arbitrary<string> {
  const leaf = fc.constantFrom(
    ..."0 1 2 -1 7 63 9007199254740993 9223372036854775807 2.5 -0.5 i j".split(" "),
    '"a"',
    '"k"',
    '"héllo"',
    "s",
    "'c'",
    "true",
    "false",
    "()",
    "[]",
    "[1, 2, 3]",
    "l",
    "#{}",
    "#{a: 1}",
    ..."m m.l m.a m.m l[0] 1..3 0..=2 f g".split(" "),
  );
  const binary = fc.constantFrom(..."+ - * / % ** << >> & | ^ == != < <= > >= && || ?? in !in ..".split(" "));
  const assign = fc.constantFrom(..."= = += -= *= /= %= |= <<=".split(" "));
  const place = fc.constantFrom(..."i j s l m l[0] l[1] m.a m.l m.l[0] m.m.n m.fresh m[s]".split(" "));
  const method = fc.constantFrom(
    ..."len keys values pop clear reverse to_string abs type_of is_empty same kind chars".split(" "),
  );
  const method1 = fc.constantFrom(
    ..."push contains index_of set add max remove split truncate append call fail concat".split(" "),
  );
  const callback = fc.constantFrom(
    ..."map filter for_each some all reduce find sort retain drain index_of dedup".split(" "),
  );
  const t = fc.tuple;
  const expression: fc.Memo<string> = fc.memo((depth) => {
    if (depth <= 1) return leaf;
    const e = (): fc.Arbitrary<string> => expression(depth - 1);
    return fc.oneof(
      { depthSize: "small" },
      leaf,
      t(fc.nat(99), e()).map(([n, v]) => `p(${n}, ${v})`),
      t(e(), binary, e()).map(([a, op, b]) => `(${a} ${op} ${b})`),
      t(fc.constantFrom("-", "!", "+"), e()).map(([op, a]) => `${op}(${a})`),
      t(e(), e()).map(([a, b]) => `[${a}, ${b}]`),
      t(e(), e()).map(([a, b]) => `#{a: ${a}, b: ${b}}`),
      t(e(), fc.constantFrom("a", "l", "len", "fresh"), fc.constantFrom(".", "?.")).map(
        ([a, name, dot]) => `(${a})${dot}${name}`,
      ),
      t(place, e(), fc.constantFrom("[", "?[")).map(([at, index, open]) => `${at}${open}${index}]`),
      t(place, method).map(([at, name]) => `${at}.${name}()`),
      t(e(), method).map(([a, name]) => `(${a}).${name}()`),
      t(place, method1, e()).map(([at, name, a]) => `${at}.${name}(${a})`),
      t(place, callback, e(), statement(depth - 1)).map(
        ([at, name, a, body]) => `${at}.${name}(|x, y| { ${body} ${a} })`,
      ),
      t(e(), callback).map(([a, name]) => `(${a}).${name}(|x| x == 1)`),
      t(e(), e()).map(([a, b]) => `two(${a}, ${b})`),
      t(fc.constantFrom("f", "g", 'Fn("down")', 'Fn("two").curry(1)', "|x| [x, i]"), e()).map(
        ([fn, a]) => `call(${fn}, ${a})`,
      ),
      t(e(), e(), e()).map(([test, a, b]) => `if ${test} == 1 { ${a} } else { ${b} }`),
      t(e(), e(), e()).map(
        ([a, b, c]) => `switch ${a} { 1 => ${b}, "abc" | 2.5 => 4, 3..9 if true => ${c}, _ => ${b} }`,
      ),
      t(e(), e()).map(([a, b]) => `\`<\${${a}}|\${${b}}>\``),
      t(statement(depth - 1), e()).map(([body, a]) => `{ ${body} ${a} }`),
    );
  });
  const statement: fc.Memo<string> = fc.memo((depth) => {
    const e = (): fc.Arbitrary<string> => expression(Math.min(depth, 3));
    const simple = [
      t(place, assign, e()).map(([at, op, a]) => `${at} ${op} ${a};`),
      e().map((a) => `print(${a});`),
      e().map((a) => `${a};`),
      e().map((a) => `let i = ${a};`),
    ];
    if (depth <= 1) return fc.oneof(...simple);
    const body = (): fc.Arbitrary<string> => statement(depth - 1);
    return fc.oneof(
      ...simple,
      t(e(), body(), body()).map(([test, a, b]) => `if ${test} == 1 { ${a} } else { ${b} }`),
      t(body(), fc.constantFrom("break;", "continue;", "")).map(
        ([a, end]) => `let n = 0; while n < 3 { n += 1; ${a} ${end} }`,
      ),
      t(e(), body()).map(([a, b]) => `for x in p(0, ${a}) { ${b} if x == 5 { break; } }`),
      t(e(), body()).map(([a, b]) => `for (x, n) in p(0, ${a}) { print(n); ${b} }`),
      t(body(), body()).map(([a, b]) => `try { ${a} } catch (e) { print(type_of(e)); ${b} }`),
      e().map((a) => `try { throw ${a}; } catch (e) { print(e); }`),
      body().map((a) => `{ let l = [7]; ${a} print(l); }`),
      t(body(), e()).map(([a, b]) => `let h = || { ${a} ${b} }; print(h.call());`),
    );
  });
  const end = "[i, j, s, l, m, f.call(1)]";
  const statements = fc.array(statement(3), { minLength: 1, maxLength: 5 }).map((list) => list.join("\n"));
  return fc.oneof(
    statements.map((body) => `${FUNCTIONS}${START}${body}\n${end}`),
    statements.map((body) => `${FUNCTIONS}fn run() {\n${START}${body}\n${end} }\nrun()`),
  );
}
