import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { finishIndexes } from "../../src/services/docs/index.ts";
import { newId } from "../../src/shared/ids.ts";
import {
  startControlPlane,
  type Answer,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { editorsGet, expectProblem, runScenarios, viewersGet } from "../manager/support/scenarios.ts";

let indexNotices = 0;
let events = 0;
let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({
    data: {
      expires: () => {},
      indexesChanged: () => indexNotices++,
      eventsCaused: () => events++,
      cronChanged: () => {},
    },
  });
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const DOCS = "/apps/blog/docs";
const JSON_TYPE = { "content-type": "application/json" };
const send = (method: string, path: string, raw: string): Promise<Answer> =>
  plane.call("editor", method, `${DOCS}/${path}`, { raw, headers: JSON_TYPE });
const create = async (raw: string, collection = "d"): Promise<Json> =>
  (await send("POST", collection, raw)).json;
const find = (filter: unknown, collection = "d"): Promise<Answer> =>
  plane.call("viewer", "POST", `${DOCS}/${collection}:find`, { body: filter });
const get = (path = ""): Promise<Answer> => plane.call("viewer", "GET", `${DOCS}${path}`);
const dataText = (answer: Answer): string => /"data":(.*),"created_at"/.exec(answer.text)?.[1] ?? answer.text;

const ID = "01a20000-0000-7000-8000-000000000001";
const at = `${DOCS}/d/${ID}`;
beforeEach(async () => {
  await plane.db`delete from docs`;
  await plane.db`delete from doc_indexes`;
  await plane.db`insert into docs (app_id, collection, id, data) values (${plane.blog}, 'd', ${ID}, '{"a": 1}')`;
});

describe("by actor", () => {
  const json = { body: { a: 2 } };
  runScenarios(
    () => plane,
    [
      {
        name: "GET /docs",
        method: "GET",
        path: DOCS,
        expect: viewersGet(200),
        check: (answer) =>
          expect(answer.json).toEqual({
            items: [{ collection: "d", entries: 1, bytes: 109, indexes: [] }],
            next_cursor: null,
          }),
      },
      {
        name: "GET /docs/{collection}",
        method: "GET",
        path: `${DOCS}/d`,
        expect: viewersGet(200),
        contains: [ID],
      },
      {
        name: "GET /docs/{collection}/{id}",
        method: "GET",
        path: at,
        expect: viewersGet(200),
        check: (answer) =>
          expect(answer.json).toEqual({
            id: ID,
            data: { a: 1 },
            created_at: expect.stringMatching(/Z$/),
            updated_at: expect.stringMatching(/Z$/),
          }),
      },
      {
        name: "POST :find",
        method: "POST",
        path: `${DOCS}/d:find`,
        options: { body: { a: 1 } },
        expect: viewersGet(200),
        contains: [ID],
      },
      {
        name: "POST :explain",
        method: "POST",
        path: `${DOCS}/d:explain`,
        options: { body: { a: 1 } },
        expect: viewersGet(200),
        contains: ['"suggestion":"a"'],
      },
      {
        name: "GET :export",
        method: "GET",
        path: `${DOCS}/d:export`,
        expect: viewersGet(200),
        contains: [ID],
      },
      {
        name: "GET indexes",
        method: "GET",
        path: `${DOCS}/d/indexes`,
        expect: viewersGet(200),
        contains: ["[]"],
      },
      {
        name: "POST /docs/{collection}",
        method: "POST",
        path: `${DOCS}/d`,
        options: json,
        expect: editorsGet(201),
      },
      { name: "PUT", method: "PUT", path: at, options: json, expect: editorsGet(200) },
      { name: "PATCH", method: "PATCH", path: at, options: json, expect: editorsGet(200) },
      {
        name: "POST :import",
        method: "POST",
        path: `${DOCS}/d:import`,
        options: { raw: '{"data":{}}' },
        expect: editorsGet(200),
      },
      {
        name: "POST indexes",
        method: "POST",
        path: `${DOCS}/d/indexes`,
        options: { body: { field: "a" } },
        expect: editorsGet(202),
      },
      {
        name: "DELETE index",
        method: "DELETE",
        path: `${DOCS}/d/indexes/a.b`,
        expect: { guest: 401, viewer: 403, readKey: 403, outsider: 404, otherBoundKey: 404, editor: 404 },
      },
      {
        name: "DELETE",
        method: "DELETE",
        path: at,
        expect: editorsGet(204),
        restore: () =>
          plane.db`insert into docs (app_id, collection, id, data) values (${plane.blog}, 'd', ${ID}, '{"a": 1}')`,
      },
    ],
  );
});

describe("documents", () => {
  test("are made, read, replaced, merged and removed", async () => {
    const { id, data } = await create('{"a":1,"b":[true,null]}');
    expect(data).toEqual({ a: 1, b: [true, null] });
    expect((await get(`/d/${id}`)).json.data).toEqual(data);
    expect((await send("PATCH", `d/${id}`, '{"a":2,"c":null}')).json.data).toEqual({
      a: 2,
      b: [true, null],
      c: null,
    });
    const replaced = (await send("PUT", `d/${id.toUpperCase()}`, '{"z":1}')).json;
    expect(replaced).toMatchObject({ id, data: { z: 1 } });
    expect(replaced.updated_at >= replaced.created_at).toBe(true);
    expect((await plane.call("editor", "DELETE", `${DOCS}/d/${id}`)).status).toBe(204);
    for (const [method, body] of [
      ["GET", undefined],
      ["PUT", {}],
      ["PATCH", {}],
      ["DELETE", undefined],
    ] as const)
      expectProblem(await plane.call("editor", method, `${DOCS}/d/${id}`, { body }), "not_found");
  });

  test("keep the digits of their numbers", async () => {
    const text = '{"f": 1.0, "i": 1, "big": 9223372036854775807, "long": 0.12345678901234567890}';
    const made = await send("POST", "exact", text);
    const stored = dataText(made);
    for (const part of ['"f": 1.0', '"i": 1,', "9223372036854775807", "0.12345678901234567890"])
      expect(stored).toContain(part);
    const { id } = made.json;
    expect(dataText(await get(`/exact/${id}`))).toBe(stored);
    expect(dataText(await get("/exact"))).toBe(stored);
    expect(dataText(await get("/exact:export"))).toBe(stored);
    const body = '{"big": 9223372036854775807}';
    expect(dataText(await send("POST", "exact:find", body))).toBe(stored);
    expect((await send("POST", "exact:find", '{"big": 9223372036854775806}')).json.items).toEqual([]);
    const selected = await send("POST", "exact:find", '{"$select": ["big", "f", "none"]}');
    expect(dataText(selected)).toBe('{"big":9223372036854775807,"f":1.0}');
  });

  test("are objects of up to 256 KiB", async () => {
    for (const text of ["[]", "1", "null", '"x"']) {
      const problem = expectProblem(await send("POST", "d", text), "invalid_value");
      expect([problem.detail, problem.details]).toEqual(["data must be a JSON object.", { field: "data" }]);
    }
    const padding = (bytes: number) => `{"x":"${"x".repeat(bytes - 8)}"}`;
    expect((await send("POST", "d", padding(262_144))).status).toBe(201);
    expect(expectProblem(await send("POST", "d", padding(262_145)), "invalid_value").details).toEqual({
      field: "data",
    });
    const { id } = await create(padding(200_000));
    const merged = await send("PATCH", `d/${id}`, `{"y":"${"y".repeat(100_000)}"}`);
    expect(expectProblem(merged, "invalid_value").detail).toContain("larger than 262144 bytes");
    expectProblem(await send("POST", "d", '{"a":"\\u0000"}'), "invalid_value");
    expectProblem(await send("POST", "d", '{"a":"\\ud800"}'), "invalid_value");
    expectProblem(await send("POST", "d", "{"), "malformed_json");
  });

  test("of any name of a collection, and of no id that is none", async () => {
    for (const collection of ["a/b", "~find", "x:find", "indexes", "%", "ü 😀"]) {
      const path = encodeURIComponent(collection);
      const { id } = await create("{}", path);
      expect((await get(`/${path}/${id}`)).json.id).toBe(id);
      expect((await find({}, path)).json.items).toHaveLength(1);
    }
    expectProblem(await send("POST", "%00", "{}"), "invalid_name");
    for (const id of ["x", "1", "..%2F"]) expectProblem(await get(`/d/${id}`), "not_found");
  });

  test("come in pages, the oldest first", async () => {
    const ids = [ID];
    for (let n = 0; n < 4; n++) ids.push((await create(`{"n":${n}}`)).id);
    const first = (await get("/d?limit=3")).json;
    const second = (await get(`/d?limit=3&cursor=${first.next_cursor}`)).json;
    expect([...first.items, ...second.items].map((item: Json) => item.id)).toEqual(ids.toSorted());
    expect(second.next_cursor).toBe(null);
    for (const cursor of ["x", "bm90IGFuIGlk"])
      expectProblem(await get(`/d?cursor=${cursor}`), "invalid_cursor");
  });
});

describe("filters", () => {
  beforeEach(async () => {
    for (let n = 0; n < 5; n++) await create(JSON.stringify({ n, even: n % 2 === 0, tags: [`t${n}`] }), "f");
  });
  const numbers = (answer: Answer) => answer.json.items.map((item: Json) => item.data.n);

  test("are those of scripts", async () => {
    expect(numbers(await find({ n: { $gte: 1, $lt: 4 }, $sort: { n: -1 } }, "f"))).toEqual([3, 2, 1]);
    expect(
      numbers(await find({ $or: [{ n: 0 }, { tags: { $contains: "t4" } }], $sort: { n: 1 } }, "f")),
    ).toEqual([0, 4]);
    const first = (await find({ $sort: { n: 1 }, $limit: 2 }, "f")).json;
    expect(numbers(await find({ $sort: { n: 1 }, $limit: 2, $cursor: first.next_cursor }, "f"))).toEqual([
      2, 3,
    ]);
  });

  test("that are not good are refused, with the reason", async () => {
    const refusals: readonly (readonly [unknown, string])[] = [
      [{ n: { $near: 1 } }, "unsupported_operator"],
      [{ $limit: 0 }, "invalid_filter"],
      [[], "invalid_filter"],
      [{ n: { $regex: "a" } }, "invalid_filter"],
      [{ $nor: [{ n: { $not: { $regex: "a" } } }] }, "invalid_filter"],
      [{ n: { $gt: 1e308 }, "a.b.c.d.e.f": 1 }, "invalid_filter"],
    ];
    for (const [filter, code] of refusals) {
      const problem = expectProblem(await find(filter, "f"), code);
      expect([problem.status, problem.details]).toEqual([422, { field: "filter" }]);
      expectProblem(await plane.call("viewer", "POST", `${DOCS}/f:explain`, { body: filter }), code);
    }
    expectProblem(await send("POST", "f:find", "{"), "malformed_json");
    expectProblem(await send("POST", "f:find", '{"n": 1e400}'), "invalid_value");
  });

  test("refuse a cursor that they have not given", async () => {
    const forged = (keys: unknown) => Buffer.from(JSON.stringify(["+n", keys, ID])).toString("base64url");
    for (const cursor of [
      "x",
      forged([]),
      forged(["1e999999"]),
      forged(["[".repeat(100_000)]),
      forged(['"\\u0000"']),
      forged([1]),
    ])
      expectProblem(await find({ $sort: { n: 1 }, $cursor: cursor }, "f"), "invalid_cursor");
    expect((await find({ $sort: { n: 1 }, $cursor: forged(["3"]) }, "f")).status).toBe(200);
  });
});

describe("indexes", () => {
  test("are asked for, built, used, listed and removed", async () => {
    indexNotices = 0;
    const asked = await send("POST", "d/indexes", '{"field":"a.b"}');
    expect(asked.json).toEqual({
      field: "a.b",
      unique: false,
      state: "building",
      error: null,
      created_at: expect.any(String),
    });
    await finishIndexes(plane.db);
    const ready = { ...asked.json, state: "ready" };
    expect((await get("/d/indexes")).json).toEqual([ready]);
    expect((await get()).json.items[0].indexes).toEqual([ready]);
    const { json } = await plane.call("viewer", "POST", `${DOCS}/d:explain`, { body: { "a.b": 1 } });
    expect(json).toEqual({ index: "a.b", uses: "values", suggestion: null });
    expect((await plane.call("editor", "DELETE", `${DOCS}/d/indexes/a.b`)).status).toBe(204);
    expect((await get("/d/indexes")).json).toEqual([]);
    expect(indexNotices).toBe(2);
    expectProblem(await plane.call("editor", "DELETE", `${DOCS}/d/indexes/a.b`), "not_found");
  });

  test("that are unique refuse a second of a value", async () => {
    await send("POST", "d/indexes", '{"field":"a","unique":true}');
    await finishIndexes(plane.db);
    expectProblem(await send("POST", "d", '{"a":1}'), "duplicate_value");
    expectProblem(
      await plane.call("editor", "POST", `${DOCS}/d:import`, { raw: '{"data":{"a":5}}\n{"data":{"a":1}}' }),
      "duplicate_value",
    );
    expect((await get("/d")).json.items).toHaveLength(1);
    expectProblem(await send("POST", "d/indexes", '{"field":"a"}'), "index_exists");
    expectProblem(await send("POST", "d", `{"a":"${"x".repeat(2000)}"}`), "value_too_long");
  });

  test("are of fields that there can be, and no more than eight", async () => {
    for (const body of ['{"field":""}', '{"field":"a..b"}', '{"field":"a","sparse":true}', "{}"])
      expect(expectProblem(await send("POST", "d/indexes", body)).status).toBe(422);
    for (let n = 0; n < 8; n++)
      expect((await send("POST", "d/indexes", `{"field":"f${n}"}`)).status).toBe(202);
    expectProblem(await send("POST", "d/indexes", '{"field":"f8"}'), "too_many_indexes");
  });
});

describe("export and import", () => {
  const importing = (raw: string, collection = "i") =>
    plane.call("editor", "POST", `${DOCS}/${collection}:import`, { raw });

  test("carry a collection from one place to another", async () => {
    await create('{"big":9223372036854775807,"f":1.0}', "from");
    await create('{"text":"é\\n"}', "from");
    const { text } = await get("/from:export");
    expect((await importing(text)).json).toEqual({ imported: 2 });
    expect((await get("/i:export")).text).toBe(text);
    expect((await importing(text)).json).toEqual({ imported: 2 });
    expect((await get("/i:export")).text).toBe(text);
  });

  test("make new ids where none is given", async () => {
    expect((await importing('{"data":{"n":1}}\n{"id":null,"data":{"n":2}}\r\n')).json).toEqual({
      imported: 2,
    });
    expect((await get("/i")).json.items.map((item: Json) => item.data.n)).toEqual([1, 2]);
  });

  test("write all lines or none, and name the line at fault", async () => {
    const good = '{"data":{}}';
    for (const [line, field] of [
      ['{"id":"x","data":{}}', "id"],
      ['{"data":[]}', "data"],
      ['{"data":{"a":"\\u0000"}}', "data"],
      [`{"id":"${ID}"}`, "data"],
      ['{"data":{},"updated_at":1}', "updated_at"],
      ['{"data":{},"extra":1}', "extra"],
    ] as const) {
      const problem = expectProblem(await importing(`${good}\n${line}\n${good}`));
      expect([line, problem.status, problem.details]).toEqual([line, 422, { field, line: 2 }]);
    }
    const twice = `{"id":"${ID}","data":{}}`;
    expect(
      expectProblem(
        await importing(
          `${twice}\n${twice.toUpperCase().replaceAll(/"(ID|DATA)"/g, (name) => name.toLowerCase())}`,
        ),
      ).detail,
    ).toContain("names the same as line 1");
    expect((await get("/i")).json.items).toEqual([]);
  });
});

test("another app's documents are another's, also by their ids", async () => {
  const other = "/apps/default/docs/d";
  const theirs = (await plane.call("owner", "POST", other, { body: { a: "theirs" } })).json.id;
  for (const [method, body] of [
    ["GET", undefined],
    ["PUT", { a: 0 }],
    ["PATCH", { a: 0 }],
    ["DELETE", undefined],
  ] as const)
    expectProblem(await plane.call("editor", method, `${DOCS}/d/${theirs}`, { body }), "not_found");
  // Importing under its id makes another one here.
  const raw = `{"id":"${theirs}","data":{"a":"mine"}}`;
  expect((await plane.call("editor", "POST", `${DOCS}/d:import`, { raw })).status).toBe(200);
  expect((await plane.call("owner", "GET", `${other}/${theirs}`)).json.data).toEqual({ a: "theirs" });
  expect((await find({ a: "theirs" })).json.items).toEqual([]);
  await plane.call("owner", "DELETE", `${other}/${theirs}`);
  expect((await get(`/d/${theirs}`)).json.data).toEqual({ a: "mine" });
});

test("whoever sends events is told after each change", async () => {
  events = 0;
  const { id } = await create("{}");
  await send("PUT", `d/${id}`, '{"a":1}');
  await send("PATCH", `d/${id}`, '{"a":2}');
  await plane.call("editor", "DELETE", `${DOCS}/d/${id}`);
  await plane.call("editor", "POST", `${DOCS}/d:import`, { raw: '{"data":{}}' });
  expect(events).toBe(5);
  await send("PUT", `d/${newId()}`, "{}");
  await find({});
  expect(events).toBe(5);
});

test("changes are recorded without anything of the data", async () => {
  await plane.db`truncate audit_log`;
  const { id } = await create('{"secret":"hush"}');
  await send("PUT", `d/${id}`, '{"secret":"more"}');
  await send("PATCH", `d/${id}`, '{"other":"more"}');
  await plane.call("editor", "DELETE", `${DOCS}/d/${id}`);
  await plane.call("editor", "POST", `${DOCS}/d:import`, { raw: '{"data":{}}' });
  await send("POST", "d/indexes", '{"field":"a"}');
  await plane.call("editor", "DELETE", `${DOCS}/d/indexes/a`);
  await send("PUT", `d/${newId()}`, "{}");
  const rows = await plane.db`select action, target_id, changed from audit_log order by created_at, id`;
  expect([...rows]).toEqual([
    { action: "doc.create", target_id: `d/${id}`, changed: [] },
    { action: "doc.update", target_id: `d/${id}`, changed: ["data"] },
    { action: "doc.update", target_id: `d/${id}`, changed: ["data"] },
    { action: "doc.delete", target_id: `d/${id}`, changed: [] },
    { action: "doc.import", target_id: "d", changed: [] },
    { action: "index.create", target_id: "d/a", changed: [] },
    { action: "index.drop", target_id: "d/a", changed: [] },
  ]);
});

test("beyond the quota no document is written, with 507", async () => {
  await plane.call("appAdmin", "PATCH", "/apps/blog/settings", { body: { quota_bytes: 120 } });
  for (const answer of [await send("POST", "d", "{}"), await send("PATCH", `d/${ID}`, '{"b":"larger"}')])
    expectProblem(answer, "quota_exceeded");
  expect((await send("PUT", `d/${ID}`, '{"a":2}')).status).toBe(200);
  await plane.call("appAdmin", "PATCH", "/apps/blog/settings", { body: { quota_bytes: null } });
});
