import type { Case } from "./conformance.ts";

/** A deterministic generator of numbers below 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

const FRAGMENTS = [
  "if true { 1 } else { 2 }",
  "{ let q = 1; q }",
  "while false {}",
  "for i in 0..2 { i }",
  "switch 1 { 1 => 2, _ => 3 }",
  "|x| x",
  "x",
  "this",
  "this.a",
  "x[0]",
  "x.y",
  "x?.y",
  "f(x)",
  "x.f(1)",
  "return 1",
  "break",
  "throw 1",
  "1",
  "'c'",
  '"s"',
  "`a${1}b`",
  "#{a: 1}",
  "[1, 2]",
  "-1",
  "!true",
  "x += 1",
  "x[0] = 1",
  "x.y += 2",
  "let x = 1",
  "const x = 1",
  "try { x } catch (e) { e }",
  "1..3",
  "x ?? 1",
  "x && y",
  "fn f(x) { x }",
  "fn i64.f(x) { this }",
  "private fn g() {}",
  "do { x } until true",
  "loop { break 1; }",
  "f.call(1)",
  "call(f, 1)",
  'Fn("f")',
  "curry(f, 1)",
  "x.map(|v| v)",
  "global::X",
  'import "m" as m',
  "export x",
  "(",
  ")",
  "{",
  "}",
  "[",
  "]",
  ";",
  ",",
  ".",
  "=",
  "==",
  "+",
  "*",
  "in",
  "!in",
  "=>",
  "_",
  "$",
  "\\",
  "\u2028",
  "\ud800",
];

/** A script made from two others by cutting, joining and inserting. */
export function mutate(cases: readonly Case[], next: () => number): string {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  let source = pick(cases).script;
  const rounds = 1 + Math.floor(next() * 3);
  for (let i = 0; i < rounds; i++) {
    const at = Math.floor(next() * (source.length + 1));
    const end = Math.min(source.length, at + Math.floor(next() * 8));
    const choice = next();
    if (choice < 0.5) source = `${source.slice(0, at)}${pick(FRAGMENTS)}${source.slice(at)}`;
    else if (choice < 0.7) source = `${source.slice(0, at)}${pick(FRAGMENTS)}${source.slice(end)}`;
    else if (choice < 0.85) source = source.slice(0, at) + source.slice(end);
    else {
      const other = pick(cases).script;
      source = `${source.slice(0, at)} ${other.slice(Math.floor(next() * other.length))}`;
    }
  }
  return source;
}
