import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { finishIndexes } from "../../../src/services/docs/index.ts";
import { scriptApp } from "./support/script-app.ts";

setDefaultTimeout(60_000);

const plane = scriptApp();

let collections = 0;
/** Runs with `c` as a collection of its own, unless one is named. */
const run = (source: string, name = `c${++collections}`, app?: string): Promise<string> =>
  plane().run(`let c = docs::collection("${name}"); ${source}`, app);

function table(prelude: string, rows: readonly (readonly [source: string, expected: string])[]): void {
  for (const [source, expected] of rows) {
    test(source.length > 140 ? `${source.slice(0, 140)}…` : source, async () => {
      expect(await run(`${prelude} ${source}`)).toBe(expected);
    });
  }
}

describe("a document", () => {
  table("", [
    [
      "let id = c.create(#{ a: 1, b: 1.0, c: 9007199254740993 }); let d = c.get(id); [d.id == id, d.data]",
      '[true,{"a":1,"b":1.0,"c":9007199254740993}]',
    ],
    [
      "let d = c.get(c.create(#{})); [d.keys(), d.created_at == d.updated_at, time::parse(d.created_at) > 0]",
      '[["created_at","data","id","updated_at"],true,true]',
    ],
    ['c.get("018f0000-0000-7000-8000-000000000000")', "null"],
    ["let id = c.create(#{ a: 1, b: 2 }); c.update(id, #{ c: 3 }); c.get(id).data", '{"c":3}'],
    [
      "let id = c.create(#{ a: 1, b: #{ x: 1 } }); c.patch(id, #{ b: 2, c: () }); c.get(id).data",
      '{"a":1,"b":2,"c":null}',
    ],
    ["let id = c.create(#{}); [c.delete(id), c.get(id), c.delete(id)]", "[true,null,false]"],
    [
      'let id = c.create(#{ "__proto__": #{ "constructor": 1 }, "$x": 1, "a.b": 2 }); c.get(id).data',
      '{"$x":1,"__proto__":{"constructor":1},"a.b":2}',
    ],
    ['let id = c.create(#{ a: 1 }); docs::collection("elsewhere").get(id)', "null"],
    ["let id = c.create(#{ a: 1 }); c.get(id.to_upper()).data", '{"a":1}'],
  ]);
});

describe("errors", () => {
  table("", [
    ['docs::collection("")', "docs::collection: name must not be empty"],
    ["c.create(1)", "docs::create: data must be a map, not i64"],
    [
      "c.create(#{ f: |x| x })",
      "docs::create: data cannot be stored: f is of type Fn, which JSON cannot hold",
    ],
    ['c.create(#{ s: "\\x00" })', "docs::create: data cannot be stored: it holds a NUL character"],
    ['c.create(#{ "\\x00": 1 })', "docs::create: data cannot be stored: it holds a NUL character"],
    [
      'let s = ""; s.pad(262144, "x"); c.create(#{ s: s })',
      "docs::create: data is larger than 262144 bytes as JSON",
    ],
    ['let s = ""; s.pad(262136, "x"); c.create(#{ s: s }).len()', "36"],
    [
      'let s = ""; s.pad(262000, "x"); let id = c.create(#{ s: s }); let t = ""; t.pad(500, "y"); c.patch(id, #{ t: t })',
      "docs::patch: the data would be larger than 262144 bytes as JSON",
    ],
    ['c.get("x")', "docs::get: id is not a UUID"],
    ['c.update("018f0000-0000-7000-8000-000000000000", #{})', "docs::update: Document not found."],
    ['c.patch("018f0000-0000-7000-8000-000000000000", #{})', "docs::patch: Document not found."],
    ["c.delete(7)", "docs::delete: id must be a string, not i64"],
    ["c.find(1)", "docs::find: filter must be a map, not i64"],
    [
      'c.find(#{ a: #{ "$foo": 1 } })',
      "docs::find: operator '$foo' is not supported; there are $eq $ne $gt $gte $lt $lte $in $nin $exists $contains $regex $not $and $or $nor $sort $limit $select $cursor",
    ],
    [
      'c.find(#{ "$elemMatch": 1 })',
      "docs::find: operator '$elemMatch' is not supported; there are $eq $ne $gt $gte $lt $lte $in $nin $exists $contains $regex $not $and $or $nor $sort $limit $select $cursor",
    ],
    ['c.find(#{ "a.b.c.d.e.f": 1 })', "docs::find: invalid filter: a.b.c.d.e.f: a path may have 5 segments"],
    ['c.find(#{ "a..b": 1 })', "docs::find: invalid filter: a..b: a segment of the path is empty"],
    [
      'c.find(#{ a: #{ "$gt": [1] } })',
      "docs::find: invalid filter: a: $gt takes a number, a string or a bool, not array",
    ],
    ['c.find(#{ a: #{ "$in": 1 } })', "docs::find: invalid filter: a: $in takes an array, not i64"],
    [
      'c.find(#{ a: #{ "$exists": 1 } })',
      "docs::find: invalid filter: a: $exists takes true or false, not i64",
    ],
    [
      'c.find(#{ a: #{ "$gt": 1, b: 2 } })',
      'docs::find: invalid filter: a: "b" stands beside operators, but is none',
    ],
    ['c.find(#{ a: #{ "$not": 1 } })', "docs::find: invalid filter: a: $not takes a map with one operator"],
    ['c.find(#{ "$or": [] })', "docs::find: invalid filter: $or: takes 1 to 20 filters, not 0"],
    ['c.find(#{ "$or": #{} })', "docs::find: invalid filter: $or: must be an array of filters, not map"],
    ['c.find(#{ "$and": [1] })', "docs::find: invalid filter: $and: each must be a filter, not i64"],
    [
      'c.find(#{ "$or": [#{ "$or": [#{ "$or": [#{ "$or": [#{}] }] }] }] })',
      "docs::find: invalid filter: $and/$or/$nor: filters may be nested 4 deep",
    ],
    [
      "let m = #{}; for i in 0..51 { m[`f${i}`] = i; } c.find(m)",
      "docs::find: invalid filter: f50: a filter may have 50 conditions",
    ],
    ['c.find(#{ "$limit": 0 })', "docs::find: invalid filter: $limit: must be at least 1, not 0"],
    ['c.find(#{ "$limit": "a" })', "docs::find: invalid filter: $limit: must be an integer, not string"],
    [
      'c.find(#{ "$sort": #{ a: 2 } })',
      'docs::find: invalid filter: $sort: a must be 1, -1, "asc" or "desc"',
    ],
    [
      'c.find(#{ "$sort": #{ a: 1, b: 1, c: 1, d: 1 } })',
      "docs::find: invalid filter: $sort: takes 3 fields at most",
    ],
    [
      'c.find(#{ "$select": [1] })',
      "docs::find: invalid filter: $select: each must be the name of a field, not i64",
    ],
    ['c.find(#{ "$cursor": "x" })', "docs::find: invalid filter: $cursor: only `page` takes one"],
    ['c.page(#{ "$cursor": "x" })', "docs::page: $cursor is not one that page has answered for this $sort"],
    ['c.list(#{ cursor: "x" })', "docs::list: cursor is not one that a list has answered"],
    [
      'c.create_index("$a")',
      "docs::create_index: invalid filter: $a: the name of a field must not begin with $",
    ],
    ['c.drop_index("a..b")', "docs::drop_index: invalid filter: a..b: a segment of the path is empty"],
    [
      'c.find(#{ a: #{ "$regex": "(" } })',
      "docs::find: the pattern is not valid: error parsing regexp: missing closing ): `(`",
    ],
    [
      'c.count(#{ "$or": [#{ b: 1 }, #{ a: #{ "$not": #{ "$regex": "[" } } }] })',
      "docs::count: the pattern is not valid: error parsing regexp: missing closing ]: `[`",
    ],
  ]);
});

describe("a filter", () => {
  const people = `
    for p in [
      #{ n: "ada", age: 36, tags: ["x", "y"], a: #{ b: #{ c: 1 } } },
      #{ n: "bob", age: 9.5, ok: true, tags: [] },
      #{ n: "cy", age: "10", ok: false },
      #{ n: "di", age: (), a: #{ b: 2 } },
      #{ n: "eve", age: 9007199254740993, tags: [1, #{ k: 1 }] },
      #{ n: "fay" },
    ] { c.create(p); }
    let names = |found| { let r = ""; for d in found { r += d.data.n[0]; } r };`;
  const found = (filter: string) => `names.call(c.find(${filter}))`;
  const rows: readonly (readonly [filter: string, names: string])[] = [
    ["#{}", "abcdef"],
    ['#{ n: "bob" }', "b"],
    ['#{ n: #{ "$eq": "bob" } }', "b"],
    ["#{ age: 36 }", "a"],
    ["#{ age: 36.0 }", "a"],
    ['#{ age: "10" }', "c"],
    ["#{ age: 10 }", ""],
    ["#{ age: () }", "df"],
    ['#{ age: #{ "$eq": () } }', "df"],
    ['#{ age: #{ "$ne": 36 } }', "bcdef"],
    ['#{ age: #{ "$ne": () } }', "abce"],
    ['#{ age: #{ "$gt": 9 } }', "abe"],
    ['#{ age: #{ "$gt": 9.5, "$lte": 36 } }', "a"],
    ['#{ age: #{ "$gte": 9007199254740993 } }', "e"],
    ['#{ age: #{ "$gt": 9007199254740992 } }', "e"],
    ['#{ age: #{ "$lt": "2" } }', "c"],
    ['#{ ok: #{ "$lt": true } }', "c"],
    ['#{ ok: #{ "$gte": false } }', "bc"],
    ['#{ n: #{ "$gte": "c", "$lt": "e" } }', "cd"],
    ['#{ n: #{ "$in": ["ada", "fay", 1, ()] } }', "af"],
    ['#{ age: #{ "$in": [36, ()] } }', "adf"],
    ['#{ n: #{ "$in": [] } }', ""],
    ['#{ n: #{ "$nin": ["ada", "fay"] } }', "bcde"],
    ['#{ age: #{ "$nin": [36] } }', "bcdef"],
    ['#{ n: #{ "$nin": [] } }', "abcdef"],
    ['#{ age: #{ "$exists": true } }', "abcde"],
    ['#{ age: #{ "$exists": false } }', "f"],
    ['#{ "a.b.c": 1 }', "a"],
    ['#{ "a.b": 2 }', "d"],
    ["#{ a: #{ b: 2 } }", "d"],
    ['#{ "a.b.c": #{ "$exists": false } }', "bcdef"],
    ['#{ tags: ["x", "y"] }', "a"],
    ['#{ tags: #{ "$contains": "x" } }', "a"],
    ['#{ tags: #{ "$contains": 1.0 } }', "e"],
    ['#{ tags: #{ "$contains": #{ k: 1 } } }', "e"],
    ['#{ n: #{ "$contains": "a" } }', "af"],
    ['#{ n: #{ "$contains": "%" } }', ""],
    ['#{ n: #{ "$regex": "^[ab]" } }', "ab"],
    ['#{ n: #{ "$regex": "y$" }, age: #{ "$exists": true } }', "c"],
    ['#{ "$or": [#{ n: "ada" }, #{ n: #{ "$regex": "^f" } }] }', "af"],
    ['#{ "$nor": [#{ n: #{ "$regex": "^[a-d]" } }] }', "ef"],
    ['#{ n: #{ "$not": #{ "$regex": "^[a-d]" } } }', "ef"],
    ['#{ age: #{ "$not": #{ "$gt": 9 } } }', "cdf"],
    ['#{ "$or": [#{ n: "ada" }, #{ ok: true }] }', "ab"],
    ['#{ "$and": [#{ n: "ada" }, #{ age: 36 }] }', "a"],
    ['#{ "$nor": [#{ n: "ada" }, #{ age: () }] }', "bce"],
    ['#{ "$or": [#{ "$and": [#{ n: "ada" }, #{ age: 1 }] }, #{ "$nor": [#{ n: #{ "$lt": "f" } }] }] }', "f"],
    ['#{ "$sort": #{ n: -1 } }', "fedcba"],
    ['#{ "$sort": #{ age: 1 } }', "dfcbae"],
    ['#{ "$sort": #{ age: "desc", n: "asc" } }', "eabcdf"],
    ['#{ "$sort": #{ n: 1 }, "$limit": 2 }', "ab"],
    ['#{ "$limit": 5000 }', "abcdef"],
  ];
  table(
    people,
    rows.map(([filter, names]) => [found(filter), names] as const),
  );

  describe("answers the same with indexes on its fields", () => {
    for (const [filter, names] of rows) {
      test(filter, async () => {
        const name = `c${++collections}`;
        const indexes = '["n", "age", "ok", "tags", "a.b", "a.b.c"]';
        await run(`${people} for f in ${indexes} { c.create_index(f); }`, name);
        await finishIndexes(plane().database.db);
        expect(
          await run(`${people.replaceAll(/for p in[^;]*create\(p\); \}/gs, "")} ${found(filter)}`, name),
        ).toBe(names);
        expect(await run(`c.count(${filter.replace(/"\$limit": 5000/, "")})`, name)).toBe(
          String(filter.includes('$limit": 2') ? 6 : names.length),
        );
      });
    }
  });

  table(people, [
    ['c.find_one(#{ "$sort": #{ n: -1 } }).data.n', "fay"],
    ['c.find_one(#{ n: "nobody" })', "null"],
    ["[c.count(), c.count(#{ ok: true }), c.count(#{})]", "[6,1,6]"],
    ['c.find(#{ n: "ada", "$select": ["n", "a.b.c", "nothing"] })[0].data', '{"a":{"b":{"c":1}},"n":"ada"}'],
    ['c.find(#{ n: "ada", "$select": [] })[0].data', "{}"],
    ['let d = c.find_one(#{ n: "ada" }); d.data.n = "changed"; c.find_one(#{ n: "ada" }).data.n', "ada"],
  ]);
});

describe("pages", () => {
  const numbers = "for i in 0..7 { c.create(#{ i: i, odd: i % 2 }); }";
  const walk = (call: string) =>
    `let all = []; let cursor = (); loop { let p = ${call}; for d in p.docs { all.push(d.data.i); } all.push("|"); cursor = p.next_cursor; if cursor == () { break; } } all`;
  table(numbers, [
    [walk("c.list(#{ limit: 3, cursor: cursor })"), '[0,1,2,"|",3,4,5,"|",6,"|"]'],
    [walk('c.page(#{ "$limit": 3, "$cursor": cursor })'), '[0,1,2,"|",3,4,5,"|",6,"|"]'],
    [walk('c.page(#{ "$sort": #{ i: -1 }, "$limit": 3, "$cursor": cursor })'), '[6,5,4,"|",3,2,1,"|",0,"|"]'],
    [
      walk('c.page(#{ "$sort": #{ odd: -1, i: 1 }, "$limit": 2, "$cursor": cursor })'),
      '[1,3,"|",5,0,"|",2,4,"|",6,"|"]',
    ],
    [walk('c.page(#{ odd: 0, "$sort": #{ i: -1 }, "$limit": 3, "$cursor": cursor })'), '[6,4,2,"|",0,"|"]'],
    [
      walk('c.page(#{ i: #{ "$not": #{ "$regex": "x" } }, "$limit": 4, "$cursor": cursor })'),
      '[0,1,2,3,"|",4,5,6,"|"]',
    ],
    [
      'c.page(#{ "$sort": #{ i: 1 }, "$cursor": c.page(#{ "$limit": 1 }).next_cursor })',
      "docs::page: $cursor is not one that page has answered for this $sort",
    ],
  ]);

  test("go through an index in the same way", async () => {
    const name = `c${++collections}`;
    await run(`${numbers} c.create_index("odd"); c.create_index("i");`, name);
    await finishIndexes(plane().database.db);
    expect(
      await run(walk('c.page(#{ "$sort": #{ odd: -1, i: 1 }, "$limit": 2, "$cursor": cursor })'), name),
    ).toBe('[1,3,"|",5,0,"|",2,4,"|",6,"|"]');
    expect(await run(walk('c.page(#{ "$sort": #{ i: -1 }, "$limit": 3, "$cursor": cursor })'), name)).toBe(
      '[6,5,4,"|",3,2,1,"|",0,"|"]',
    );
    expect(await run(walk('c.page(#{ i: #{ "$gte": 2 }, "$limit": 3, "$cursor": cursor })'), name)).toBe(
      '[2,3,4,"|",5,6,"|"]',
    );
  });
});

describe("an index", () => {
  const state = "c.indexes()";

  test("is asked for, built beside what goes on, used, and dropped", async () => {
    const name = `c${++collections}`;
    const { db } = plane().database;
    await run("for i in 0..5 { c.create(#{ a: #{ b: i } }); }", name);
    const before = plane().indexNotices;
    expect(await run(`c.create_index("a.b"); c.create_index("a.b"); ${state}`, name)).toBe(
      '[{"error":null,"field":"a.b","state":"building","unique":false}]',
    );
    expect(plane().indexNotices).toBe(before + 2);
    expect(await run('c.explain(#{ "a.b": 3 })', name)).toBe(
      '{"index":null,"suggestion":"a.b","uses":"collection"}',
    );
    // Written meanwhile.
    await run("c.create(#{ a: #{ b: 3 } });", name);
    await finishIndexes(db);
    expect(await run(state, name)).toBe('[{"error":null,"field":"a.b","state":"ready","unique":false}]');
    expect(await run('c.explain(#{ "a.b": 3 })', name)).toBe(
      '{"index":"a.b","suggestion":null,"uses":"values"}',
    );
    expect(await run('c.explain(#{ "a.b": #{ "$gt": 3 } })', name)).toBe(
      '{"index":"a.b","suggestion":null,"uses":"range"}',
    );
    expect(await run('c.explain(#{ x: 1, "$sort": #{ "a.b": 1 } })', name)).toBe(
      '{"index":"a.b","suggestion":null,"uses":"sort"}',
    );
    expect(await run('c.count(#{ "a.b": 3 })', name)).toBe("2");
    await run(
      'let d = c.find_one(#{ "a.b": 4 }); c.update(d.id, #{ a: #{ b: 3 } }); c.delete(c.find_one(#{ "a.b": 0 }).id);',
      name,
    );
    expect(await run('[c.count(#{ "a.b": 3 }), c.count(#{ "a.b": 4 }), c.count(#{ "a.b": 0 })]', name)).toBe(
      "[3,0,0]",
    );
    expect(await run(`[c.drop_index("a.b"), c.drop_index("a.b"), ${state}]`, name)).toBe("[true,false,[]]");
    await db`update doc_indexes set changed_at = now() - interval '11 seconds' where state = 'dropping'`;
    await finishIndexes(db);
    expect(
      await db`
        select from doc_index_entries where doc_id in (select id from docs where collection = ${name})
          and value <> 'null'`,
    ).toHaveLength(0);
    expect(await run('c.count(#{ "a.b": 3 })', name)).toBe("3");
  });

  test("that is unique refuses a second document with the same value, missing ones excepted", async () => {
    const name = `c${++collections}`;
    await run(
      'c.create(#{ mail: "a" }); c.create(#{}); c.create(#{ mail: () }); c.create(#{ mail: [1] }); c.create(#{ mail: [1] }); c.create_index("mail", #{ unique: true });',
      name,
    );
    await finishIndexes(plane().database.db);
    expect(await run('c.create(#{ mail: "a" })', name)).toBe(
      "docs::create: Another document has the same value of a unique field.",
    );
    expect(await run('let id = c.create(#{ mail: "b" }); c.update(id, #{ mail: "a" })', name)).toBe(
      "docs::update: Another document has the same value of a unique field.",
    );
    expect(await run('c.create(#{}); c.create(#{ mail: "A" }); c.count(#{ mail: "a" })', name)).toBe("1");
    expect(await run('c.create_index("mail")', name)).toBe(
      'docs::create_index: there is an index on "mail" that is unique; drop it first',
    );
  });

  test("that is unique lets one of many win who write at once", async () => {
    const name = `c${++collections}`;
    await run('c.create_index("n", #{ unique: true });', name);
    await finishIndexes(plane().database.db);
    const outcomes = await Promise.all(
      Array.from({ length: 8 }, () => run('c.create(#{ n: 1 }); "made"', name)),
    );
    expect(outcomes.filter((outcome) => outcome === "made")).toHaveLength(1);
  });

  test("says why it could not be built, and can be asked for again", async () => {
    const name = `c${++collections}`;
    await run('c.create(#{ n: 1 }); c.create(#{ n: 1 }); c.create_index("n", #{ unique: true });', name);
    await finishIndexes(plane().database.db);
    expect(await run(state, name)).toBe(
      '[{"error":"two documents have the same value","field":"n","state":"failed","unique":true}]',
    );
    expect(
      await run(
        'c.delete(c.find_one(#{ n: 1 }).id); c.create(#{ n: 1 }); c.delete(c.find_one(#{ n: 1 }).id); c.create_index("n", #{ unique: true });',
        name,
      ),
    ).toBe("null");
    await finishIndexes(plane().database.db);
    expect(await run(state, name)).toBe('[{"error":null,"field":"n","state":"ready","unique":true}]');
  });

  test("takes values of up to 1,024 bytes", async () => {
    const name = `c${++collections}`;
    await run('c.create_index("s");', name);
    await finishIndexes(plane().database.db);
    expect(await run('let s = ""; s.pad(1022, "x"); c.create(#{ s: s }); c.count(#{ s: s })', name)).toBe(
      "1",
    );
    expect(await run('let s = ""; s.pad(1023, "x"); c.create(#{ s: s })', name)).toBe(
      'docs::create: The value of "s" is longer than 1024 bytes, and the field is indexed.',
    );
  });

  test("loses no document that is written while it is built", async () => {
    const name = `c${++collections}`;
    await run("for i in 0..200 { c.create(#{ n: i }); }", name);
    await run('c.create_index("n");', name);
    const writing = Promise.all(
      Array.from({ length: 4 }, () => run("for i in 200..300 { c.create(#{ n: i }); }", name)),
    );
    await finishIndexes(plane().database.db);
    await writing;
    expect(
      await run('[c.explain(#{ n: 1 }).uses, c.count(#{ n: #{ "$gte": 0 } }), c.count(#{ n: 250 })]', name),
    ).toBe('["values",600,4]');
  });

  test("a collection may have eight", async () => {
    expect(
      await run('for i in 0..8 { c.create_index(`f${i}`); } c.create_index("f0"); c.create_index("f8")'),
    ).toBe("docs::create_index: a collection may have 8 indexes");
  });
});

describe("another app", () => {
  test("sees nothing of it: not by names, ids, filters or cursors, nor through its unique values", async () => {
    const name = "shared docs";
    const { other, database } = plane();
    const id = await run(
      'c.create_index("n", #{ unique: true }); for i in 1..5 { c.create(#{ n: i }); } c.create(#{ n: 0, s: "of mine" })',
      name,
    );
    await finishIndexes(database.db);
    const cursor = await run('c.page(#{ "$sort": #{ n: 1 }, "$limit": 1 }).next_cursor', name);
    const source = `[c.get("${id}"), c.find(#{}), c.find(#{ n: 0 }), c.count(), c.list().docs, c.page(#{ "$sort": #{ n: 1 }, "$cursor": "${cursor}" }).docs, c.delete("${id}"), c.indexes()]`;
    expect(await run(source, name, other)).toBe("[null,[],[],0,[],[],false,[]]");
    expect(await run(`c.update("${id}", #{})`, name, other)).toBe("docs::update: Document not found.");
    expect(await run("c.create(#{ n: 0 }); c.count()", name, other)).toBe("1");
    expect(await run("c.count()", name)).toBe("5");
  });
});

describe("a find that takes too long", () => {
  test("is ended, and names the index to create", async () => {
    const name = `c${++collections}`;
    const { db } = plane().database;
    await db`
      insert into docs (app_id, collection, id, data)
      select ${plane().app}, ${name}, gen_random_uuid(), jsonb_build_object('a', i, 'b', repeat('x', 20000))
      from generate_series(1, 3000) i`;
    const holder = db.begin(async (sql) => {
      await sql`lock table docs in access exclusive mode`;
      await Bun.sleep(6500);
    });
    await Bun.sleep(100);
    expect(await run('c.find(#{ "a.x": 1, "$sort": #{ b: 1 } })', name)).toBe(
      'docs::find: the query took too long. No index is on "a.x": create one with create_index("a.x").',
    );
    await holder;
  });
});
