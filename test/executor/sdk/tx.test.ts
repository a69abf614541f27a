import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { statementsSent } from "../../../src/database/statements.ts";
import { SERVICE_NAMESPACES } from "../../../src/executor/sdk/mentions.ts";
import { serviceNamespaces } from "../../../src/executor/sdk/services/index.ts";
import { scriptApp } from "./support/script-app.ts";

setDefaultTimeout(60_000);

const plane = scriptApp();
let collections = 0;
/** Runs with `k` and `d` as collections of its own, unless they are named. */
const run = (source: string, name = `t${++collections}`): Promise<string> =>
  plane().run(`let k = kv::collection("${name}"); let d = docs::collection("${name}"); ${source}`);

test("what looks for services knows all their namespaces", () => {
  expect([...SERVICE_NAMESPACES].toSorted()).toEqual(serviceNamespaces.map(({ name }) => name).toSorted());
});

describe("a transaction", () => {
  for (const [source, expected] of [
    ['tx::run(|| { k.set("a", 1); k.get("a") + 1 })', "2"],
    ['tx::run(|| { k.set("a", 1); d.create(#{ x: 1 }); }); [k.get("a"), d.count()]', "[1,1]"],
    [
      'try { tx::run(|| { k.set("a", 1); d.create(#{ x: 1 }); throw "no"; }); } catch (e) { k.set("caught", e); } [k.get("a"), d.count(), k.get("caught")]',
      '[null,0,"no"]',
    ],
    ['tx::run(|| { k.set("a", 1); throw #{ code: 7 }; })', '#{"code": 7}'],
    ["let e = (); try { tx::run(|| { throw #{ code: 7 }; }) } catch (x) { e = x.code } e", "7"],
    ['tx::run(|| { k.set("a", 1); tx::run(|| k.set("b", 2)); }); [k.get("a"), k.get("b")]', "[1,2]"],
    [
      'try { tx::run(|| { k.set("a", 1); tx::run(|| { k.set("b", 2); throw "inner"; }); }); } catch { } [k.get("a"), k.get("b")]',
      "[null,null]",
    ],
    [
      'tx::run(|| { try { tx::run(|| { k.set("b", 2); throw "inner"; }); } catch { } k.set("a", 1); }); [k.get("a"), k.get("b")]',
      "[1,2]",
    ],
    ['let n = 5; tx::run(|| { n += 1; k.set("n", n); }); [n, k.get("n")]', "[6,6]"],
    ["tx::run(|| 1) + tx::run(|| 2)", "3"],
    ["tx::run(1)", "tx::run: function must be a function, not i64"],
    ["tx::run(|x| 1)", "Function not found"],
    ["tx::run(|| k.get(1))", "kv::get: key must be a string, not i64"],
    // A wrong argument is noticed before anything is asked of the database.
    ['tx::run(|| { try { k.get(1) } catch { } k.set("a", 1); }); k.get("a")', "1"],
    ['let id = d.create(#{ x: 1 }); d.create_index("x", #{ unique: true }); id.len()', "36"],
  ] as const) {
    test(source, async () => {
      expect(await run(source)).toStartWith(expected);
    });
  }

  test("has its statements counted, in whatever thread they are sent", async () => {
    const count = async (source: string): Promise<number> => {
      await plane().run(source);
      const before = statementsSent();
      await plane().run(source);
      return statementsSent() - before;
    };
    expect(await count('kv::collection("counted").get("k")')).toBe(1);
    expect(
      await count('let c = kv::collection("counted"); tx::run(|| { c.get("k"); c.get("l"); })'),
    ).toBeGreaterThanOrEqual(4);
  });

  test("in which an index is asked for has it built once it has committed", async () => {
    const before = plane().indexNotices;
    expect(await run('tx::run(|| { d.create_index("a"); }); d.indexes().len()')).toBe("1");
    expect(plane().indexNotices).toBe(before + 1);
    await run('try { tx::run(|| { d.create_index("b"); throw 1; }); } catch { }');
    expect(plane().indexNotices).toBe(before + 1);
  });

  test("is not seen by others before it has ended, nor when it was rolled back", async () => {
    const name = "isolated";
    const slow = run('tx::run(|| { k.set("a", 1); let x = 0; while x < 400000 { x += 1 } });', name);
    await Bun.sleep(5);
    const seen = await Promise.all(Array.from({ length: 3 }, () => run('k.get("a")', name)));
    expect(seen.every((value) => value === "null" || value === "1")).toBe(true);
    await slow;
    expect(await run('k.get("a")', name)).toBe("1");
  });

  test("loses no update that several make at once: read, change, write", async () => {
    const name = "accounts";
    await run('k.set("from", 80); k.set("to", 0);', name);
    const move =
      'tx::run(|| { let f = k.get("from"); let t = k.get("to"); k.set("from", f - 1); k.set("to", t + 1); }); "moved"';
    const outcomes: string[] = [];
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let i = 0; i < 20; i++) outcomes.push(await run(move, name));
      }),
    );
    const moved = outcomes.filter((outcome) => outcome === "moved").length;
    expect(new Set(outcomes.filter((outcome) => outcome !== "moved"))).toEqual(
      new Set(
        moved === 80
          ? []
          : ["tx::run: others changed the same data at the same time, again and again; nothing was changed"],
      ),
    );
    expect(await run('[k.get("from"), k.get("to")]', name)).toBe(`[${80 - moved},${moved}]`);
    expect(moved).toBeGreaterThan(20);
  });

  test("in which a call failed cannot be committed, whoever caught the error", async () => {
    const name = "aborted";
    const { database, app } = plane();
    await run("d.create(#{ x: 1 });", name);
    await database.db`
      insert into doc_indexes (app_id, collection, path, is_unique, state)
      values (${app}, ${name}, ${["x"]}::text[], true, 'ready')`;
    await database.db`
      insert into doc_index_entries (app_id, index_id, value, doc_id, is_unique)
      select app_id, i.id, '1', d.id, true from docs d join doc_indexes i using (app_id, collection)
      where collection = ${name}`;
    const source = 'tx::run(|| { k.set("a", 1); try { d.create(#{ x: 1 }) } catch { } 5 })';
    expect(await run(source, name)).toBe("tx::run: Another document has the same value of a unique field.");
    expect(await run('k.get("a")', name)).toBe("null");
    expect(await run('k.set("b", 1); k.get("b")', name)).toBe("1");
  });

  test("may make 500 calls", async () => {
    expect(
      await run(
        "tx::run(|| { for i in 0..500 { k.set(`k${i}`, i); } }); k.list(#{ limit: 1000 }).keys.len()",
      ),
    ).toBe("500");
    expect(
      await run(
        'try { tx::run(|| { for i in 0..501 { k.set(`k${i}`, i); } }); } catch (e) { k.set("e", e); } [k.list().keys, k.get("e")]',
      ),
    ).toBe('[["e"],"kv::set: a transaction may make 500 calls of services, no more"]');
  });

  test("may take five seconds", async () => {
    const name = "held tx";
    const { database } = plane();
    await run('k.set("a", 1);', name);
    const holder = database.db.begin(async (sql) => {
      await sql`select from kv_entries where collection = ${name} for update`;
      await Bun.sleep(6500);
    });
    await Bun.sleep(50);
    const begun = performance.now();
    expect(await run('let r = (); try { tx::run(|| k.set("a", 2)) } catch (e) { r = e } r', name)).toMatch(
      /too long|took longer than 5 s/,
    );
    expect(performance.now() - begun).toBeLessThan(6400);
    await holder;
    expect(await run('k.get("a")', name)).toBe("1");
  });

  test("that the run's limit ends is rolled back", async () => {
    const name = "limited tx";
    const outcome = await plane().runs.run(
      `let k = kv::collection("${name}"); tx::run(|| { k.set("a", 1); loop { } });`,
      { app: plane().app, limits: { timeoutMs: 300, maxOperations: 1_000_000_000 } },
    );
    expect(outcome.status).toBe("timeout");
    expect(await run('k.get("a")', name)).toBe("null");
  });
});
