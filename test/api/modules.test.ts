import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  startControlPlane,
  type Answer,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { runScenarios } from "../manager/support/scenarios.ts";

setDefaultTimeout(60_000);

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({ checkScript: "compiler" });
});
afterAll(() => plane?.stop());

const save = (
  name: string,
  source: string,
  kind: "endpoint" | "module" = "module",
  app = "blog",
  query = "",
): Promise<Answer> =>
  plane.call("owner", "PUT", `/apps/${app}/scripts/${name}?kind=${kind}${query}`, { raw: source });

const ids = new Map<string, string>();
/** Saves, which must succeed. @returns its answer */
async function saved(
  name: string,
  source: string,
  kind: "endpoint" | "module" = "module",
  app = "blog",
): Promise<Json> {
  const answer = await save(name, source, kind, app);
  expect({ status: answer.status < 300, text: answer.status < 300 ? "" : answer.text }).toEqual({
    status: true,
    text: "",
  });
  ids.set(`${app}/${name}`, answer.json.script.id);
  return answer.json;
}

const idOf = (name: string, app = "blog"): string => ids.get(`${app}/${name}`) ?? "";

/** Runs the newest version of a script. @returns the answer's text, or status and message */
async function run(name: string, app = "blog"): Promise<string> {
  const script = await plane.call("owner", "GET", `/apps/${app}/scripts/${name}`);
  const answer = await plane.call(
    "owner",
    "POST",
    `/scripts/${script.json.id}/versions/${script.json.version}:invoke`,
  );
  return answer.status === 200 ? answer.text : `${answer.status} ${answer.json.detail}`;
}

const messages = (answer: Json): string[] =>
  answer.warnings.map(({ message }: { message: string }) => message);

describe("a module", () => {
  test("is imported by endpoints and modules of its app, and runs in its newest version", async () => {
    await saved("texts", 'fn shout(s) { s.to_upper() + "!" } private fn hidden() { 1 }');
    await saved(
      "greetings",
      'import "texts" as t; export const NAME = "world"; fn greet(who) { t::shout(`hello ${who}`) }',
    );
    expect(messages(await saved("hello", 'import "greetings" as g; g::greet(g::NAME)', "endpoint"))).toEqual(
      [],
    );
    expect(await run("hello")).toBe("HELLO WORLD!");
    await saved("texts", 'fn shout(s) { s + "?" }');
    expect(await run("hello")).toBe("hello world?");
  });

  test("hides what is private, and has no names of its importer", async () => {
    await saved("closed", "private fn hidden() { 1 } fn open() { 2 }");
    await saved("peeks", 'import "closed" as c; c::hidden()', "endpoint");
    expect(await run("peeks")).toStartWith("502 Function not found: c::hidden ()");
    await saved("reads", "fn get() { ctx.request }");
    await saved("asks", 'import "reads" as r; r::get()', "endpoint");
    expect(await run("asks")).toContain("Variable not found: ctx");
  });

  test("may call services, and so its importers may", async () => {
    await saved("counter", 'fn next(name) { kv::collection("counts").incr(name) }');
    await saved("counts", 'import "counter" as c; [c::next("a"), c::next("a")]', "endpoint");
    expect(await run("counts")).toBe("[1,2]");
  });

  test("is found by a name that is computed", async () => {
    await saved("lang_en", 'fn hi() { "hi" }');
    await saved("lang_de", 'fn hi() { "hallo" }');
    await saved(
      "polyglot",
      'let r = ""; for l in ["en", "de"] { import `lang_${l}` as x; r += x::hi() + " "; } r',
      "endpoint",
    );
    expect(await run("polyglot")).toBe("hi hallo ");
    expect((await plane.call("owner", "GET", `/scripts/${idOf("polyglot")}/imports`)).json).toEqual([]);
  });

  test("rolls back like any script, and its importers with it", async () => {
    await saved("rolling", "fn v() { 1 }");
    await saved("rolling", "fn v() { 2 }");
    await saved("rolls", 'import "rolling" as r; r::v()', "endpoint");
    expect(await run("rolls")).toBe("2");
    await plane.call("owner", "POST", `/scripts/${idOf("rolling")}/versions/1:activate`);
    expect(await run("rolls")).toBe("1");
  });

  test("holds only functions, constants and imports", async () => {
    const answer = await save("acts", 'fn f() { 1 }\nprint("loaded");');
    expect(answer.status).toBe(422);
    expect(answer.json).toMatchObject({ code: "module_shape", details: { line: 2 } });
  });

  test("cannot be run or routed", async () => {
    await saved("lib", "fn f() { 1 }");
    expect(await run("lib")).toStartWith("422 ");
    const answer = await plane.call("owner", "POST", `/scripts/${idOf("lib")}/routes`, {
      body: { path: "/lib" },
    });
    expect(answer.status).toBe(422);
  });

  test("has a name that is no namespace of the language or the SDK", async () => {
    for (const name of ["kv", "docs", "log", "regex", "users", "ctx", "fn", "Upper", "1st", "a-b"]) {
      expect((await save(name, "fn f() { 1 }")).status).toBe(422);
    }
  });
});

describe("an import of what is not there", () => {
  test("is saved with a warning, is 422 when it runs, and works once the module has come", async () => {
    expect(messages(await saved("early", 'import "late" as l; l::f()', "endpoint"))).toEqual([
      'It imports "late", and the app has no module of that name yet.',
    ]);
    expect(await run("early")).toStartWith("422 Module not found: late");
    await saved("late", "fn f() { 7 }");
    expect(await run("early")).toBe("7");
  });

  test("can be caught where it is imported", async () => {
    await saved(
      "careful",
      'let r = "none"; try { import "nothing" as n; r = n::f(); } catch { r = "caught"; } r',
      "endpoint",
    );
    expect(await run("careful")).toBe("caught");
  });

  test("an endpoint is not a module", async () => {
    await saved("page", "1", "endpoint");
    expect(messages(await saved("wrong", 'import "page" as p; p::f()', "endpoint"))).toEqual([
      'It imports "page", which is an endpoint, not a module.',
    ]);
    expect(await run("wrong")).toStartWith('422 not a module: the script "page" is an endpoint');
  });
});

describe("a cycle", () => {
  test("is refused when it is saved, and the chain is named", async () => {
    expect((await save("selfish", 'import "selfish" as s; fn f() { 1 }')).json).toMatchObject({
      status: 422,
      code: "circular_import",
      detail: "The module selfish would import itself: selfish -> selfish.",
    });
    await saved("ring_a", 'import "ring_b" as b; fn f() { 1 }');
    await saved("ring_b", 'import "ring_c" as c; fn f() { 1 }');
    const answer = await save("ring_c", 'import "ring_a" as a; fn f() { 1 }');
    expect(answer.json).toMatchObject({
      status: 422,
      code: "circular_import",
      details: { chain: ["ring_c", "ring_a", "ring_b", "ring_c"] },
    });
    expect((await plane.call("owner", "GET", "/apps/blog/scripts/ring_c")).status).toBe(404);
  });

  test("of two saves at once, each half of it, one is refused", async () => {
    for (let i = 0; i < 5; i++) {
      const [a, b] = [`half_a${i}`, `half_b${i}`];
      await saved(a, "fn f() { 1 }");
      await saved(b, "fn f() { 1 }");
      const answers = await Promise.all([
        save(a, `import "${b}" as x; fn f() { 1 }`),
        save(b, `import "${a}" as x; fn f() { 1 }`),
      ]);
      expect(answers.map((answer) => answer.status).toSorted()).toEqual([200, 422]);
    }
  });

  test("that a rollback would close is refused too", async () => {
    await saved("back_a", 'import "back_b" as b; fn f() { 1 }');
    await saved("back_a", "fn f() { 1 }");
    await saved("back_b", 'import "back_a" as a; fn f() { 1 }');
    const answer = await plane.call("owner", "POST", `/scripts/${idOf("back_a")}/versions/1:activate`);
    expect(answer.json).toMatchObject({ status: 422, code: "circular_import" });
  });

  test("through computed names ends the run, naming the chain", async () => {
    await saved("spin_a", 'fn f() { import "spin" + "_b" as b; b::f() }');
    await saved("spin_b", 'import "spin" + "_a" as a; fn f() { 1 }');
    await saved("spins", 'import "spin_b" as b; b::f()', "endpoint");
    expect(await run("spins")).toBe("1");
    await saved("loop_a", 'import "loop" + "_b" as b; fn f() { 1 }');
    await saved("loop_b", 'import "loop" + "_a" as a; fn f() { 1 }');
    await saved("loops", 'import "loop_a" as b; b::f()', "endpoint");
    expect(await run("loops")).toContain("circular import: loop_a -> loop_b -> loop_a");
  });

  test("imports may be eight levels deep", async () => {
    await saved("deep_8", "fn f() { 8 }");
    for (let level = 7; level >= 0; level--)
      await saved(`deep_${level}`, `import "deep_${level + 1}" as n; fn f() { n::f() }`);
    await saved("deep", 'import "deep_1" as n; n::f()', "endpoint");
    await saved("too_deep", 'import "deep_0" as n; n::f()', "endpoint");
    expect(await run("deep")).toBe("8");
    expect(await run("too_deep")).toContain("import depth exceeded: deep_0 -> deep_1");
  });
});

describe("a save that breaks importers", () => {
  test("says which", async () => {
    await saved("api", "fn one(a) { a } fn two(a, b) { a }");
    await saved("user_a", 'import "api" as x; x::one(1)', "endpoint");
    await saved("user_b", 'import "api" as x; fn g() { x::two(1, 2) }');
    expect(messages(await saved("api", "fn one(a) { a } fn two(a) { a }"))).toEqual([
      '"user_b" calls api::two with 2 arguments, and the module has no such function.',
    ]);
    expect(messages(await saved("user_c", 'import "api" as x; x::three()', "endpoint"))).toEqual([
      "It calls api::three with 0 arguments, and the module has no such function.",
    ]);
    const renamed = await plane.call("owner", "PUT", `/scripts/${idOf("api")}`, { body: { name: "api2" } });
    expect(messages(renamed.json)).toContain('"user_a" still imports "api", the former name.');
    await plane.call("owner", "PUT", `/scripts/${idOf("api")}`, { body: { name: "api" } });
  });

  test("a module that is imported does not become an endpoint, and is deleted only with force", async () => {
    await saved("base", "fn f() { 1 }");
    await saved("uses_base", 'import "base" as b; b::f()', "endpoint");
    const kind = await plane.call("owner", "PUT", `/scripts/${idOf("base")}`, { body: { kind: "endpoint" } });
    expect(kind.json).toMatchObject({
      status: 409,
      code: "script_is_imported",
      details: { imported_by: ["uses_base"] },
    });
    const gone = await plane.call("owner", "DELETE", `/scripts/${idOf("base")}`);
    expect(gone.json).toMatchObject({ status: 409, code: "script_is_imported" });
    expect((await plane.call("owner", "DELETE", `/scripts/${idOf("base")}?force=true`)).status).toBe(204);
    expect(await run("uses_base")).toStartWith("422 Module not found: base");
  });
});

describe("who imports whom", () => {
  test("is told, for live versions", async () => {
    await saved("shared_lib", "fn f() { 1 }");
    await saved("importer", 'import "shared_lib" as l; import "not_there" as n; 1', "endpoint");
    const imports = await plane.call("viewer", "GET", `/scripts/${idOf("importer")}/imports`);
    expect(imports.json).toEqual([
      { name: "not_there", script_id: null, kind: null, live_version: null },
      { name: "shared_lib", script_id: idOf("shared_lib"), kind: "module", live_version: 1 },
    ]);
    const users = await plane.call("viewer", "GET", `/scripts/${idOf("shared_lib")}/used-by`);
    expect(users.json).toEqual([{ script_id: idOf("importer"), name: "importer", kind: "endpoint" }]);
    // A draft changes nothing yet.
    await save("importer", "1", "endpoint", "blog", "&activate=false");
    expect((await plane.call("viewer", "GET", `/scripts/${idOf("importer")}/imports`)).json).toHaveLength(2);
    await saved("importer", "2", "endpoint");
    expect((await plane.call("viewer", "GET", `/scripts/${idOf("shared_lib")}/used-by`)).json).toEqual([]);
  });

  runScenarios(
    () => plane,
    [
      {
        name: "imports",
        method: "GET",
        path: () => `/scripts/${idOf("importer")}/imports`,
        expect: {
          guest: 401,
          outsider: 404,
          viewer: 200,
          editor: 200,
          appAdmin: 200,
          admin: 200,
          owner: 200,
          boundKey: 200,
          otherBoundKey: 404,
        },
      },
      {
        name: "used-by",
        method: "GET",
        path: () => `/scripts/${idOf("shared_lib")}/used-by`,
        expect: {
          guest: 401,
          outsider: 404,
          viewer: 200,
          editor: 200,
          appAdmin: 200,
          admin: 200,
          owner: 200,
          boundKey: 200,
          otherBoundKey: 404,
        },
      },
    ],
  );
});

describe("another app's module", () => {
  test("cannot be imported, by any spelling", async () => {
    await plane.call("owner", "POST", "/apps", { body: { slug: "neighbour", name: "Neighbour" } });
    await saved("treasure", 'fn secret() { "of the neighbour" }', "module", "neighbour");
    const id = idOf("treasure", "neighbour");
    const app = (await plane.call("owner", "GET", "/apps/neighbour")).json.id as string;
    const spellings = [
      "treasure",
      "neighbour/treasure",
      "neighbour::treasure",
      "../neighbour/treasure",
      `${app}/treasure`,
      `${app}:treasure`,
      id,
      `/scripts/${id}`,
      "treasure@1",
      "treasure.rhai",
      "*",
    ];
    for (const [index, spelling] of spellings.entries()) {
      for (const source of [
        `import "${spelling}" as t; t::secret()`,
        `import "${spelling.slice(0, 1)}" + "${spelling.slice(1)}" as t; t::secret()`,
      ]) {
        await saved(`thief${index}`, source, "endpoint");
        expect(await run(`thief${index}`)).toStartWith(`422 Module not found: ${spelling}`);
      }
    }
  });
});
