import { expect, test } from "bun:test";
import { folderWith, picloud, type Ended } from "./support/picloud.ts";

const folder = folderWith({
  "hello.rhai": "`Hello, ${ctx.request.params.name}!`",
  "body.rhai": "ctx.request.body",
  "order.json": '{"id": 9007199254740993, "price": 1.0}',
  "importing.rhai": 'import "lib" as lib; lib::twice(21)',
  "lib.rhai": "fn twice(x) { x * 2 }",
  "failing.rhai": 'fn f(x) {\n  throw "boom";\n}\nf(1);\n',
});

/** Runs a script that comes from stdin. */
const script = (source: string): Promise<Ended> => picloud(folder, ["run", "-"], source);

test("prints a string as it is", async () => {
  expect(await picloud(folder, ["run", "hello.rhai", "--param", "name=Ada"])).toEqual({
    exit: 0,
    stdout: "Hello, Ada!\n",
    stderr: "",
  });
});

test("prints other values as JSON, response maps too, and nothing for ()", async () => {
  expect((await script("[1, 2.0, 'c', ()]")).stdout).toBe('[1,2.0,"c",null]\n');
  expect((await script('#{ statusCode: 201, body: "x" }')).stdout).toBe('{"body":"x","statusCode":201}\n');
  expect((await script("let x = 1;")).stdout).toBe("");
});

test("prints what JSON cannot hold in the form of the language", async () => {
  expect((await script("0..3")).stdout).toBe("0..3\n");
});

test("print goes to stdout, log and debug to stderr", async () => {
  expect(await script('print("out"); log::warn("careful", #{ n: 1 }); debug("d"); 5')).toEqual({
    exit: 0,
    stdout: "out\n5\n",
    stderr: 'warn careful {"n":1}\ntrace "d"\n',
  });
});

test("takes the body from the argument, a file or stdin, exactly", async () => {
  const exact = '{"id":9007199254740993,"price":1.0}\n';
  expect((await picloud(folder, ["run", "body.rhai", "--body", '{"a": [1.5]}'])).stdout).toBe(
    '{"a":[1.5]}\n',
  );
  expect((await picloud(folder, ["run", "body.rhai", "--body", "@order.json"])).stdout).toBe(exact);
  expect((await picloud(folder, ["run", "body.rhai", "--body", "-"], exact)).stdout).toBe(exact);
});

test("has a ctx like the server's", async () => {
  const { stdout } = await script(
    "[ctx.request.method, ctx.request.query, ctx.invocation_type, ctx.attempt, ctx.script_name, " +
      '"event" in ctx, ctx.execution_id.len, ctx.request.body]',
  );
  expect(JSON.parse(stdout)).toEqual(["GET", {}, "http", 1, "stdin", false, 36, null]);
});

test("imports modules from the script's folder", async () => {
  expect((await picloud("/", ["run", `${folder}/importing.rhai`])).stdout).toBe("42\n");
  expect((await script('import "nope" as n;')).stderr).toContain("Module not found: nope");
});

test("a run-time error shows each call with its place", async () => {
  expect(await picloud(folder, ["run", "failing.rhai"])).toEqual({
    exit: 1,
    stdout: "",
    stderr:
      "failing.rhai:2:3: Runtime error: boom (line 2, position 3)\n" +
      '  2 |   throw "boom";\n' +
      "    |   ^\n" +
      "in call to function 'f' (line 4, position 1)\n" +
      "  4 | f(1);\n" +
      "    | ^\n",
  });
});

test("a script that does not compile is reported as check does", async () => {
  const { exit, stdout, stderr } = await script("let x = ;");
  expect([exit, stdout]).toEqual([1, ""]);
  expect(stderr).toStartWith("(stdin):1:9: Syntax error: Unexpected ';'");
});

test("has the default limits", async () => {
  expect((await script("loop {}")).stderr).toContain("Too many operations");
  expect((await script("fn f() { f() } f()")).stderr).toContain("Stack overflow");
  expect((await script('let s = "ab"; loop { s += s; }')).stderr).toContain("Length of string too large");
});

test("nothing of a long output is lost", async () => {
  const { stdout } = await script('let s = "a"; s.pad(1000000, "b"); s');
  expect(stdout.length).toBe(1_000_001);
});

test.each([
  [["run"], "missing required argument"],
  [["run", "body.rhai", "--body", "{"], "--body: this is not JSON: line 1, column 2"],
  [["run", "body.rhai", "--param", "novalue"], "--param novalue: write it as NAME=VALUE"],
  [["run", "-", "--body", "-"], "Only one of FILE and --body"],
  [["run", "body.rhai", "--nope"], "unknown option '--nope'"],
])("is used wrongly: %j", async (args, message) => {
  const { exit, stdout, stderr } = await picloud(folder, args);
  expect([exit, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(message);
});

test("names a file that is not there", async () => {
  const { exit, stderr } = await picloud(folder, ["run", "nope.rhai"]);
  expect([exit, stderr]).toEqual([1, "picloud: nope.rhai: there is no such file.\n"]);
  expect((await picloud(folder, ["run", "body.rhai", "--body", "@nope.json"])).exit).toBe(1);
});
