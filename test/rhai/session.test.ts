import { expect, test } from "bun:test";
import { Engine, type Session, toDebugValue } from "../../src/rhai/index.ts";

/** Runs the inputs of one session; answers what the last one gave, as text. */
async function last(inputs: readonly string[], session: Session = new Engine().session()): Promise<string> {
  let text = "";
  for (const input of inputs) {
    const result = await session.run(input);
    if (result.ok) text = toDebugValue(result.value);
    else text = "diagnostics" in result ? (result.diagnostics[0]?.message ?? "") : result.error.message;
  }
  return text;
}

test("variables stay from input to input", async () => {
  expect(await last(["let x = 1;", "x += 1", "let y = x * 10;", "[x, y]"])).toBe("[2, 20]");
});

test("nothing is run again", async () => {
  const printed: string[] = [];
  const session = new Engine().session();
  for (const input of ["print(1)", "fn f() { 2 }", "print(f())"]) {
    await session.run(input, { print: (text) => printed.push(text) });
  }
  expect(printed).toEqual(["1", "2"]);
});

test("constants cannot be assigned by later inputs, and functions see them", async () => {
  expect(await last(["const K = 9;", "K = 2"])).toBe("Cannot modify constant K (line 2, position 1)");
  expect(await last(["const K = 9;", "fn k() { global::K + 1 }", "k()"])).toBe("10");
});

test("functions call functions of later inputs and can be defined anew", async () => {
  expect(await last(["fn f() { g() }", "fn g() { 1 }", "f()"])).toBe("1");
  expect(await last(["fn f() { g() }", "fn g() { 1 }", "fn g() { 2 }", "f()"])).toBe("2");
});

test("closures keep what they captured", async () => {
  expect(await last(["let x = 1;", "let add = |y| { x += y; x };", "add.call(5)", "x"])).toBe("6");
});

test("modules stay imported", async () => {
  const session = new Engine().session();
  const options = { resolver: { resolve: () => ({ source: "export const ONE = 1; fn two() { 2 }" }) } };
  await session.run('import "m" as m;', options);
  const result = await session.run("m::ONE + m::two()", options);
  expect(result.ok && result.value).toBe(3);
});

test("variables of blocks go with their block, also of one that gives the value", async () => {
  expect(await last(["{ let w = 1; w }", "w"])).toBe("Variable not found: w (line 2, position 1)");
});

test("of a failed input assignments stay and declarations go", async () => {
  expect(await last(["let x = 1;", "x = 2; let y = 3; throw 4", "x"])).toBe("2");
  expect(await last(["let y = 3; throw 4", "y"])).toBe("Variable not found: y (line 2, position 1)");
});

test("lines are counted over the session, and its source has them", async () => {
  const session = new Engine().session();
  expect(await last(["fn f() {\n  throw 1\n}", "1 +", "f()"], session)).toBe(
    "Runtime error: 1 (line 2, position 3)\nin call to function 'f' (line 5, position 1)",
  );
  expect(session.source.split("\n")[1]).toBe("  throw 1");
  expect(session.nextLine).toBe(6);
});

test("checking an input does not run it", async () => {
  const session = new Engine().session();
  expect(session.check("let x = 1;")).toEqual([]);
  expect(session.check("let x = ").map(({ code }) => code)).toEqual(["UnexpectedEOF"]);
  expect(await last(["x"], session)).toBe("Variable not found: x (line 1, position 1)");
});
