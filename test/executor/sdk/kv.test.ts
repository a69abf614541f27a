import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { deleteExpired, nextExpiry } from "../../../src/services/kv/index.ts";
import { seed } from "../../services/seed.ts";
import { scriptApp } from "./support/script-app.ts";

setDefaultTimeout(60_000);

const plane = scriptApp();

/** Runs with `c` as a collection of its own, unless one is named. */
let collections = 0;
const inCollection = (
  source: string,
  options: { readonly app?: string; readonly name?: string } = {},
): Promise<string> =>
  plane().run(`let c = kv::collection("${options.name ?? `c${++collections}`}"); ${source}`, options.app);

function table(rows: readonly (readonly [source: string, expected: string])[]): void {
  for (const [source, expected] of rows) {
    test(source, async () => {
      expect(await inCollection(source)).toBe(expected);
    });
  }
}

describe("a value", () => {
  table([
    ['c.get("a")', "null"],
    ['c.set("a", 1); c.get("a")', "1"],
    ['c.set("a", 1); c.set("a", #{ b: [1, 1.0, "x", true, ()] }); c.get("a")', '{"b":[1,1.0,"x",true,null]}'],
    ['c.set("a", 9007199254740993); c.get("a")', "9007199254740993"],
    [
      'c.set("a", [9223372036854775807, -9223372036854775808, 1.5e300, 1e15, -0.5]); c.get("a")',
      "[9223372036854775807,-9223372036854775808,1.5e+300,1000000000000000.0,-0.5]",
    ],
    [
      'c.set("a", #{ "__proto__": 1, "constructor": #{ "toString": 2 } }); c.get("a")',
      '{"__proto__":1,"constructor":{"toString":2}}',
    ],
    ['c.set("a", "\\x41\\t😀\\\\u0000"); c.get("a") == "A\t😀\\\\u0000"', "true"],
    ['let b = blob(3, 255); c.set("a", b); c.get("a")', "////"],
    ['c.set("a", ()); [c.has("a"), c.get("a")]', "[true,null]"],
    ['[c.has("a"), c.delete("a")]', "[false,false]"],
    ['c.set("a", 1); [c.has("a"), c.delete("a"), c.has("a"), c.delete("a")]', "[true,true,false,false]"],
    ['kv::collection("x").set("a", 1); kv::collection("y").get("a")', "null"],
    ['let m = #{ n: 1 }; c.set("a", m); m.n = 2; let r = c.get("a"); r.n = 3; c.get("a").n', "1"],
  ]);

  test("may be 64 KiB as JSON, and no more", async () => {
    expect(await inCollection('let s = ""; s.pad(65534, "x"); c.set("a", s); c.get("a").len()')).toBe(
      "65534",
    );
    expect(await inCollection('let s = ""; s.pad(65535, "x"); c.set("a", s);')).toBe(
      "kv::set: value is larger than 65536 bytes as JSON",
    );
    expect(await inCollection('let s = ""; s.pad(32768, "ü"); c.set("a", s);')).toBe(
      "kv::set: value is larger than 65536 bytes as JSON",
    );
  });
});

describe("errors", () => {
  table([
    ["kv::collection(1)", "kv::collection: name must be a string, not i64"],
    ['kv::collection("")', "kv::collection: name must not be empty"],
    ['c.get("")', "kv::get: key must not be empty"],
    ["c.get(5)", "kv::get: key must be a string, not i64"],
    ['let k = ""; k.pad(257, "x"); c.get(k)', "kv::get: key is longer than 256 bytes"],
    ['let k = ""; k.pad(256, "x"); c.get(k)', "null"],
    ['c.get("a\\n")', "kv::get: key must not hold control characters"],
    ['c.set("a", |x| x)', "kv::set: value cannot be stored: the value is of type Fn, which JSON cannot hold"],
    ['c.set("a", 0.0/0.0)', "kv::set: value cannot be stored: the value is NaN, which JSON cannot hold"],
    ['c.set("a", "\\x00")', "kv::set: value cannot be stored: it holds a NUL character"],
    ['c.set("a", 1, #{ ttl: 1 })', 'kv::set: there is no option "ttl"; there is ttl_seconds'],
    ['c.set("a", 1, #{ ttl_seconds: 0 })', "kv::set: ttl_seconds must be from 1 to 3155760000, not 0"],
    ["c.list(#{ limit: 0 })", "kv::list: limit must be at least 1, not 0"],
    ['c.list(#{ cursor: "nonsense!" })', "kv::list: cursor is not one that a list has answered"],
    ['c.list("a")', "kv::list: options must be a map, not string"],
    ['let a = []; a.pad(1001, "x"); c.get_many(a)', "kv::get_many: keys may hold 1000, not 1001"],
    ['c.get_many(["a", 1])', "kv::get_many: each key must be a string, not i64"],
    ['let e = ""; try { c.get("") } catch (x) { e = x } e', "kv::get: key must not be empty"],
  ]);

  test("a run may make 1,000 calls, and the next one fails", async () => {
    expect(await inCollection('for i in 0..1000 { c.has("a"); } "done"')).toBe("done");
    expect(await inCollection('for i in 0..1001 { c.has("a"); }')).toBe(
      "kv::has: a run may make 1000 calls of services, no more",
    );
  });

  test("a script with a higher limit may make more calls", async () => {
    const { runs, app } = plane();
    const source = 'let c = kv::collection("c"); for i in 0..1501 { c.has("a"); }';
    const outcome = await runs.run(source, { app, limits: { maxSdkCalls: 1500 } });
    expect(outcome.error?.message).toContain("kv::has: a run may make 1500 calls of services, no more");
  });
});

describe("set_if", () => {
  table([
    ['[c.set_if("a", 1, ()), c.set_if("a", 2, ()), c.get("a")]', "[true,false,1]"],
    [
      'c.set("a", #{ x: 1 }); [c.set_if("a", 2, #{ x: 2 }), c.set_if("a", 3, #{ x: 1 }), c.get("a")]',
      "[false,true,3]",
    ],
    ['[c.set_if("a", 1, 5), c.has("a")]', "[false,false]"],
    ['c.set("a", ()); [c.set_if("a", 1, ()), c.get("a")]', "[true,1]"],
  ]);

  test("of many at once one wins", async () => {
    const source = 'c.set_if("lock", 1, ())';
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => inCollection(source, { name: "locks" })),
    );
    expect(outcomes.filter((outcome) => outcome === "true")).toHaveLength(1);
  });
});

describe("incr", () => {
  table([
    ['[c.incr("a"), c.incr("a", 5), c.incr("a", -10), c.get("a")]', "[1,6,-4,-4]"],
    [
      'c.set("a", 9223372036854775806); [c.incr("a"), c.get("a")]',
      "[9223372036854775807,9223372036854775807]",
    ],
    ['c.set("a", 9223372036854775807); c.incr("a")', "kv::incr: the sum is beyond the range of integers"],
    ['c.set("a", 1.0); c.incr("a")', "kv::incr: the value is not an integer"],
    ['c.set("a", "1"); c.incr("a")', "kv::incr: the value is not an integer"],
    ['c.set("a", [1]); c.incr("a")', "kv::incr: the value is not an integer"],
    ['c.incr("a", 1.5)', "kv::incr: by must be an integer, not f64"],
  ]);

  test("loses nothing when many count at once", async () => {
    await Promise.all(
      Array.from({ length: 8 }, () => inCollection('for i in 0..25 { c.incr("n"); }', { name: "counters" })),
    );
    expect(await inCollection('c.get("n")', { name: "counters" })).toBe("200");
  });
});

describe("get_many", () => {
  table([
    ['c.set("a", 1); c.set("b", ()); c.get_many(["a", "b", "c", "a"])', '{"a":1,"b":null}'],
    ["c.get_many([])", "{}"],
  ]);
});

describe("list", () => {
  table([
    ["c.list()", '{"keys":[],"next_cursor":null}'],
    [
      'for k in ["b", "a", "B", "ä", "a/1", "a/2"] { c.set(k, 1); } c.list().keys',
      '["B","a","a/1","a/2","b","ä"]',
    ],
    ['for k in ["a", "a/1", "a/2", "b"] { c.set(k, 1); } c.list(#{ prefix: "a/" }).keys', '["a/1","a/2"]'],
    ['for k in ["a%", "a_", "ab", "a\\\\"] { c.set(k, 1); } c.list(#{ prefix: "a%" }).keys', '["a%"]'],
    [
      'c.set("a", [1.0]); c.list(#{ values: true })',
      '{"entries":[{"key":"a","value":[1.0]}],"keys":["a"],"next_cursor":null}',
    ],
    [
      'for i in 0..7 { c.set(`k${i}`, i); } let all = []; let cursor = (); loop { let p = c.list(#{ limit: 3, cursor: cursor }); all += p.keys; all.push("|"); cursor = p.next_cursor; if cursor == () { break } } all',
      '["k0","k1","k2","|","k3","k4","k5","|","k6","|"]',
    ],
  ]);

  test("shows at most 1,000 keys at once, 100 unless told otherwise", async () => {
    await plane().database.db`
      insert into kv_entries (app_id, collection, key, value)
      select ${plane().app}, 'many', 'k' || lpad(i::text, 5, '0'), '1' from generate_series(1, 1100) i`;
    const source =
      "[c.list().keys.len(), c.list(#{ limit: 5000 }).keys.len(), c.list(#{ limit: 1000, cursor: c.list(#{ limit: 1000 }).next_cursor }).keys.len()]";
    expect(await inCollection(source, { name: "many" })).toBe("[100,1000,100]");
  });
});

describe("a value with a life", () => {
  const expire = (name: string) =>
    plane().database.db`update kv_entries set expires_at = now() where collection = ${name}`;

  test("is seen until it ends, and by nothing afterwards", async () => {
    const name = "lives";
    const before = Date.now();
    expect(await inCollection('c.set("a", 1, #{ ttl_seconds: 3600 }); c.get("a")', { name })).toBe("1");
    expect(plane().expiries.at(-1)).toBeGreaterThanOrEqual(before + 3_600_000);
    await expire(name);
    expect(
      await inCollection('[c.get("a"), c.has("a"), c.list().keys, c.get_many(["a"]), c.delete("a")]', {
        name,
      }),
    ).toBe("[null,false,[],{},false]");
  });

  test("that ended counts as none for set_if, incr and set", async () => {
    for (const [source, expected] of [
      ['[c.set_if("a", 2, 1), c.set_if("a", 2, ()), c.get("a")]', "[false,true,2]"],
      ['[c.incr("a", 7), c.get("a")]', "[7,7]"],
      ['c.set("a", 5); c.get("a")', "5"],
    ] as const) {
      const name = `ended${++collections}`;
      await inCollection('c.set("a", 1, #{ ttl_seconds: 10 });', { name });
      await expire(name);
      expect(await inCollection(source, { name })).toBe(expected);
      expect(
        await plane().database
          .db`select from kv_entries where collection = ${name} and expires_at is not null`,
      ).toHaveLength(0);
    }
  });

  test("stays for good once it is set without one", async () => {
    const name = "stays";
    await inCollection('c.set("a", 1, #{ ttl_seconds: 10 }); c.set("a", 2);', { name });
    expect(
      await plane().database.db`select from kv_entries where collection = ${name} and expires_at is null`,
    ).toHaveLength(1);
  });

  test("is removed with the others that have ended, and the next moment is known", async () => {
    await plane().database.db`delete from kv_entries where expires_at is not null`;
    await inCollection("for i in 0..5 { c.set(`k${i}`, i, #{ ttl_seconds: 10 }); }", { name: "swept" });
    await expire("swept");
    await inCollection('c.set("later", 1, #{ ttl_seconds: 1000 });', { name: "swept" });
    expect(await deleteExpired(plane().database.db, 3)).toBe(3);
    expect(await deleteExpired(plane().database.db, 3)).toBe(2);
    expect((await nextExpiry(plane().database.db))?.getTime()).toBeGreaterThan(Date.now() + 900_000);
  });
});

describe("another app", () => {
  test("sees nothing of it, by the same names or by its cursors", async () => {
    const name = "shared name";
    await inCollection('for i in 0..5 { c.set(`k${i}`, "secret of mine"); }', { name });
    const cursor = await inCollection("c.list(#{ limit: 2 }).next_cursor", { name });
    const source = `[c.get("k1"), c.has("k1"), c.list(), c.list(#{ cursor: "${cursor}" }), c.get_many(["k1"]), c.delete("k1"), c.set_if("k1", 1, "secret of mine")]`;
    expect(await inCollection(source, { name, app: plane().other })).toBe(
      '[null,false,{"keys":[],"next_cursor":null},{"keys":[],"next_cursor":null},{},false,false]',
    );
    expect(await inCollection("c.list().keys.len()", { name })).toBe("5");
  });

  test("goes with its data when it is deleted", async () => {
    const gone = await seed(plane().database.db).app("gone");
    await inCollection('c.set("a", 1);', { app: gone });
    await plane().database.db`delete from apps where id = ${gone}`;
    expect(await plane().database.db`select from kv_entries where app_id = ${gone}`).toHaveLength(0);
  });
});

describe("the app's quota", () => {
  const setQuota = (settings: Record<string, number>) =>
    plane().database
      .db`update apps set settings = ${plane().database.db.json(settings)} where id = ${plane().app}`;

  test("ends in an error that a script can catch, and leaves what is there", async () => {
    await setQuota({ quota_bytes: 0 });
    const message = "the app's data would be larger than its quota of 0 bytes";
    expect(await inCollection('c.set("k", 1)', { name: "quota" })).toBe(`kv::set: ${message}`);
    expect(await inCollection('c.incr("k")', { name: "quota" })).toBe(`kv::incr: ${message}`);
    expect(
      await inCollection('let m = (); try { c.set("k", 1) } catch (e) { m = e; } m', { name: "quota" }),
    ).toBe(`kv::set: ${message}`);
    expect(await plane().run('docs::collection("quota").create(#{})')).toBe(`docs::create: ${message}`);
    expect(await plane().run('tx::run(|| { kv::collection("quota").set("k", 1); })')).toContain(message);
    await setQuota({});
    expect(await inCollection('c.set("k", 1); c.list().keys', { name: "quota" })).toBe('["k"]');
  });
});

describe("a call that takes too long", () => {
  test("ends the run at its limit, not later", async () => {
    await inCollection('c.set("locked", 1);', { name: "held" });
    await plane().database.db.begin(async (sql) => {
      await sql`select from kv_entries where collection = 'held' for update`;
      const begun = performance.now();
      const outcome = await plane().runs.run('kv::collection("held").set("locked", 2)', {
        app: plane().app,
        limits: { timeoutMs: 500 },
      });
      expect(outcome.status).toBe("timeout");
      expect(performance.now() - begun).toBeLessThan(2000);
    });
    expect(await inCollection('c.get("locked") in [1, 2]', { name: "held" })).toBe("true");
  });

  test("does not hold up scripts that call no service", async () => {
    expect(await plane().runs.answer("[1, 2].len()", { app: plane().app })).toBe("2");
  });
});
