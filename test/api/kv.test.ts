import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  startControlPlane,
  type Answer,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { editorsGet, expectProblem, runScenarios, viewersGet } from "../manager/support/scenarios.ts";

const expiries: number[] = [];
let events = 0;
let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane({
    data: {
      expires: (at) => expiries.push(at),
      indexesChanged: () => {},
      eventsCaused: () => events++,
      cronChanged: () => {},
    },
  });
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const KV = "/apps/blog/kv";
const JSON_TYPE = { "content-type": "application/json" };
const put = (path: string, raw: string): Promise<Answer> =>
  plane.call("editor", "PUT", `${KV}/${path}`, { raw, headers: JSON_TYPE });
const get = (path = ""): Promise<Answer> => plane.call("viewer", "GET", `${KV}${path}`);
const valueText = (answer: Answer): string =>
  /"value":(.*),"expires_at"/.exec(answer.text)?.[1] ?? answer.text;
const importing = (raw: string, collection = "c") =>
  plane.call("editor", "POST", `${KV}/${collection}:import`, { raw });
const audit = async (): Promise<Json[]> =>
  plane.db`select action, target_kind, target_id, target_name, changed, after_sha256 is not null as hashed
    from audit_log where action like 'kv.%' order by created_at, id`;

beforeEach(async () => {
  await plane.db`delete from kv_entries`;
  await put("c/key", '"mine"');
});

describe("by actor", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /kv",
        method: "GET",
        path: KV,
        expect: viewersGet(200),
        check: ({ json }) =>
          expect(json).toEqual({
            items: [{ collection: "c", entries: 1, bytes: 110 }],
            next_cursor: null,
          }),
      },
      {
        name: "GET /kv/{collection}",
        method: "GET",
        path: `${KV}/c`,
        expect: viewersGet(200),
        check: ({ json }) =>
          expect(json).toEqual({
            items: [
              {
                key: "key",
                value: "mine",
                expires_at: null,
                created_at: expect.stringMatching(/Z$/),
                updated_at: expect.stringMatching(/Z$/),
              },
            ],
            next_cursor: null,
          }),
      },
      {
        name: "GET /kv/{collection}/{key}",
        method: "GET",
        path: `${KV}/c/key`,
        expect: viewersGet(200),
        contains: ['"value":"mine"'],
      },
      {
        name: "GET /kv/{collection}:export",
        method: "GET",
        path: `${KV}/c:export`,
        expect: viewersGet(200),
        contains: ['"value":"mine"'],
      },
      {
        name: "PUT /kv/{collection}/{key}",
        method: "PUT",
        path: `${KV}/c/new`,
        options: { body: [1] },
        expect: editorsGet(201),
        restore: () => plane.db`delete from kv_entries where key = 'new'`,
      },
      {
        name: "PUT /kv/{collection}/{key} of one that is there",
        method: "PUT",
        path: `${KV}/c/key`,
        options: { body: [1] },
        expect: editorsGet(200),
      },
      {
        name: "POST /kv/{collection}:import",
        method: "POST",
        path: `${KV}/c:import`,
        options: { raw: '{"key":"a","value":1}\n' },
        expect: editorsGet(200),
        contains: ['{"imported":1}'],
      },
      {
        name: "DELETE /kv/{collection}/{key}",
        method: "DELETE",
        path: `${KV}/c/key`,
        expect: editorsGet(204),
        restore: () => put("c/key", '"mine"'),
      },
      {
        name: "GET /usage",
        method: "GET",
        path: "/apps/blog/usage",
        expect: viewersGet(200),
        check: ({ json }) =>
          expect(json).toEqual({
            bytes: 110,
            quota_bytes: null,
            kv: { collections: 1, entries: 1, bytes: 110 },
            docs: { collections: 0, entries: 0, bytes: 0 },
          }),
      },
    ],
  );
});

describe("values", () => {
  test("come back with the digits that they were sent with", async () => {
    for (const value of [
      "9223372036854775807",
      "-9223372036854775808",
      "9007199254740993",
      "1",
      "1.0",
      "0.1234567890123456789012345",
      "null",
      "true",
      '"é \\" \\\\u0000"',
      "[]",
    ]) {
      expect((await put("c/exact", ` ${value}\n`)).status).toBeLessThan(300);
      expect(valueText(await get("/c/exact"))).toBe(value);
      expect(valueText(await get("/c?prefix=exact"))).toBe(value);
      expect(valueText(await get("/c:export"))).toBe(value);
    }
  });

  test("have the keys of objects as jsonb keeps them: each once, the last one", async () => {
    await put("c/object", '{"b":1,"a":2,"b":3,"__proto__":{"x":1}}');
    expect(valueText(await get("/c/object"))).toBe('{"a": 2, "b": 3, "__proto__": {"x": 1}}');
  });

  test("have 64 KiB without the space between their parts, and no byte more", async () => {
    const largest = `[ "${"x".repeat(65_532)}" ]`;
    expect((await put("c/large", largest)).status).toBe(201);
    const answer = await put("c/large", `["${"x".repeat(65_533)}"]`);
    expect(expectProblem(answer, "invalid_value")).toMatchObject({
      status: 422,
      details: { field: "value" },
      detail: "value is larger than 65536 bytes as JSON.",
    });
  });

  test("that the database or scripts cannot hold are refused", async () => {
    for (const value of ['"\\u0000"', '{"\\u0000":1}', '"\\ud800"', "1e400", "[1e-400]", "1e100000"]) {
      const problem = expectProblem(await put("c/odd", value), "invalid_value");
      expect([problem.status, problem.details]).toEqual([422, { field: "value" }]);
    }
    const deep = await put("c/odd", "[".repeat(513) + "]".repeat(513));
    expect(expectProblem(deep).detail).toContain("nested deeper than 512 levels");
    expect((await put("c/odd", "[".repeat(512) + "]".repeat(512))).status).toBe(201);
  });

  test("that are no JSON are refused with the place", async () => {
    for (const value of ["", "{", "nul", "{'a':1}"])
      expect(expectProblem(await put("c/odd", value), "malformed_json").detail).toContain("line 1, column");
    const typeless = await plane.call("editor", "PUT", `${KV}/c/odd`, { raw: "1" });
    expect(expectProblem(typeless).status).toBe(415);
    const bytes = new Uint8Array([0x22, 0xff, 0x22]);
    const answer = await plane.call("editor", "PUT", `${KV}/c/odd`, { raw: bytes, headers: JSON_TYPE });
    expect(expectProblem(answer, "malformed_json").detail).toContain("UTF-8");
  });

  test("are gone when their time is over, which is told to whoever removes them", async () => {
    expiries.length = 0;
    const { json } = await put("c/short?ttl_seconds=60", "1");
    expect(Date.parse(json.expires_at) - Date.parse(json.updated_at)).toBe(60_000);
    expect(expiries).toEqual([Date.parse(json.expires_at)]);
    await plane.db`update kv_entries set expires_at = now() - interval '1 second' where key = 'short'`;
    expectProblem(await get("/c/short"), "not_found");
    expect((await get("/c")).json.items).toHaveLength(1);
    expect((await put("c/short", "2")).status).toBe(201);
    expect((await get("/c/short")).json.expires_at).toBe(null);
    expectProblem(await put("c/short?ttl_seconds=0", "1"), "validation");
  });
});

describe("names", () => {
  const ODD = ["a/b", "..x", "~export", "c:export", "%2F", "ü 漢 😀", "?#&=+", "'\"\\", " ", "x".repeat(256)];

  test("of any characters work in paths", async () => {
    for (const collection of ODD) {
      for (const key of ODD) {
        const path = `${encodeURIComponent(collection)}/${encodeURIComponent(key)}`;
        expect([collection, key, (await put(path, "1")).status]).toEqual([collection, key, 201]);
        expect((await get(`/${path}`)).json).toMatchObject({ key, value: 1 });
      }
      const { items } = (await get(`/${encodeURIComponent(collection)}?limit=200`)).json;
      expect(items.map((item: Json) => item.key).toSorted()).toEqual(ODD.toSorted());
      // Curl leaves a tilde as it is.
      expect((await get(`/${encodeURIComponent(collection)}/~export`)).json).toMatchObject({
        key: "~export",
      });
    }
    const collections = (await get("?limit=200")).json.items.map((item: Json) => item.collection);
    expect(collections.toSorted()).toEqual([...ODD, "c"].toSorted());
  });

  test("that scripts could not use are refused, with the field", async () => {
    for (const bad of ["%00", "a%0Ab", "%C2%80", "x".repeat(257), "é".repeat(129)]) {
      const key = expectProblem(await put(`c/${bad}`, "1"), "invalid_name");
      expect([key.status, key.details]).toEqual([422, { field: "key" }]);
      const collection = expectProblem(await put(`${bad}/k`, "1"), "invalid_name");
      expect(collection.details).toEqual({ field: "collection" });
      expectProblem(await get(`/${bad}`), "invalid_name");
      expectProblem(await get(`/${bad}:export`), "invalid_name");
    }
  });
});

describe("lists", () => {
  test("have pages, in byte order, with a prefix", async () => {
    for (const key of ["b1", "a2", "a10", "a1", "ä", "a"]) await put(`list/${encodeURIComponent(key)}`, "1");
    const seen: string[][] = [];
    for (let cursor = ""; ;) {
      const { json } = await get(`/list?limit=2&prefix=a${cursor}`);
      seen.push(json.items.map((item: Json) => item.key));
      if (json.next_cursor === null) break;
      cursor = `&cursor=${json.next_cursor}`;
    }
    expect(seen).toEqual([
      ["a", "a1"],
      ["a10", "a2"],
    ]);
    const all = (await get("/list")).json.items.map((item: Json) => item.key);
    expect(all).toEqual(["a", "a1", "a10", "a2", "b1", "ä"]);
  });

  test("of collections have pages too", async () => {
    await put("a/k", "1");
    await put("b/k", "1");
    const first = (await get("?limit=2")).json;
    expect(first.items.map((item: Json) => item.collection)).toEqual(["a", "b"]);
    const second = (await get(`?limit=2&cursor=${first.next_cursor}`)).json;
    expect(second).toMatchObject({ items: [{ collection: "c" }], next_cursor: null });
  });

  test("of large values have shorter pages, and lose none", async () => {
    const value = JSON.stringify("x".repeat(65_000));
    for (let n = 0; n < 70; n++) await put(`large/${100 + n}`, value);
    const first = (await get("/large?limit=200")).json;
    expect(first.items.length).toBe(64);
    const second = (await get(`/large?limit=200&cursor=${first.next_cursor}`)).json;
    expect([second.items.length, second.next_cursor]).toEqual([6, null]);
    const lines = (await get("/large:export")).text.trimEnd().split("\n");
    expect(lines).toHaveLength(70);
  });

  test("refuse a cursor that none of them gave", async () => {
    for (const cursor of ["x", "%00", "AA", "!"])
      for (const path of [`?cursor=${cursor}`, `/c?cursor=${cursor}`])
        expect(expectProblem(await get(path), "invalid_cursor").details).toEqual({ field: "cursor" });
  });

  test("of a collection that nobody has written to are empty", async () => {
    expect((await get("/nothing")).json).toEqual({ items: [], next_cursor: null });
    expect((await get("/nothing:export")).text).toBe("");
  });
});

describe("export and import", () => {
  test("carry a collection from one place to another", async () => {
    await put("from/int", "9223372036854775807");
    await put("from/float?ttl_seconds=1000", "[1.0, 1]");
    await put("from/%00".replace("%00", "odd%2Fkey"), '{"a":"é"}');
    const exported = await get("/from:export");
    expect(exported.headers.get("content-type")).toBe("application/x-ndjson");
    expect((await importing(exported.text, "to")).json).toEqual({ imported: 3 });
    expect((await get("/to:export")).text).toBe(exported.text);
    // Once more over itself changes nothing.
    expect((await importing(exported.text, "to")).status).toBe(200);
    expect((await get("/to:export")).text).toBe(exported.text);
  });

  test("write all lines or none, and name the line at fault", async () => {
    const good = Array.from({ length: 700 }, (_, n) => `{"key":"i${n}","value":${n}}`).join("\n");
    const cases: readonly (readonly [line: string, says: string, field: string])[] = [
      ["{", "is not JSON", "body"],
      ["[]", "is not a JSON object", "body"],
      ['{"value":1}', "key must be a text", "key"],
      ['{"key":1,"value":1}', "key must be a text", "key"],
      ['{"key":"","value":1}', "key must not be empty", "key"],
      ['{"key":"a"}', "value is missing", "value"],
      ['{"key":"a","value":"\\u0000"}', "NUL", "value"],
      [`{"key":"a","value":"${"x".repeat(65_536)}"}`, "larger than 65536", "value"],
      ['{"key":"a","value":1,"ttl":1}', 'no field "ttl"', "ttl"],
      ['{"key":"a","value":1,"expires_at":"soon"}', "RFC 3339", "expires_at"],
      ['{"key":"a","value":1,"created_at":"0000-01-01T00:00:00Z"}', "years 1 to 9999", "created_at"],
      ['{"key":"i5","value":1}', "names the same as line 6", "body"],
    ];
    for (const [line, says, field] of cases) {
      const answer = await importing(`${good}\n\n${line}\n`, "whole");
      const problem = expectProblem(answer);
      expect([line, problem.status, problem.details]).toEqual([line, 422, { field, line: 702 }]);
      expect(problem.detail).toContain(says);
      expect(problem.detail).toMatch(/^Line 702.*Nothing was imported\.$/s);
    }
    expect((await get("/whole")).json.items).toEqual([]);
    expect((await importing(good, "whole")).json).toEqual({ imported: 700 });
    expect((await get("?limit=200")).json.items).toContainEqual({
      collection: "whole",
      entries: 700,
      bytes: expect.any(Number),
    });
  });

  test("take 16 MiB, and no more", async () => {
    const answer = await importing(" ".repeat(16 * 1024 * 1024 + 1));
    expect(expectProblem(answer, "too_large").status).toBe(413);
    expect((await importing("\n")).json).toEqual({ imported: 0 });
  });
});

test("another app's collections are another's, by whatever name", async () => {
  const other = "/apps/default/kv";
  await plane.call("owner", "PUT", `${other}/c/key`, { body: "theirs" });
  expect((await get("/c/key")).json.value).toBe("mine");
  expect((await plane.call("owner", "GET", `${other}/c/key`)).json.value).toBe("theirs");
  await plane.call("owner", "DELETE", `${other}/c/key`);
  expect((await get("/c/key")).json.value).toBe("mine");
  expectProblem(await plane.call("otherBoundKey", "GET", `${KV}/c/key`), "not_found");
  const { next_cursor: cursor } = (await get("?limit=1")).json;
  expect(cursor).toBe(null);
});

test("whoever sends events is told after each change, and after nothing else", async () => {
  events = 0;
  await put("c/e", "1");
  await plane.call("editor", "DELETE", `${KV}/c/e`);
  await importing('{"key":"e","value":1}');
  expect(events).toBe(3);
  await get("/c");
  await put("c/e", "{");
  await plane.call("editor", "DELETE", `${KV}/c/missing`);
  expect(events).toBe(3);
});

test("changes are recorded without anything of the values", async () => {
  await plane.db`truncate audit_log`;
  await put("c/a%2Fb", '"hush"');
  await put("c/a%2Fb", '"hush hush"');
  await plane.call("editor", "DELETE", `${KV}/c/a%2Fb`);
  expectProblem(await plane.call("editor", "DELETE", `${KV}/c/a%2Fb`), "not_found");
  await importing('{"key":"i","value":"hush"}');
  const key = { target_kind: "kv", target_id: "c/a/b", target_name: "a/b", hashed: false };
  expect([...(await audit())]).toEqual([
    { ...key, action: "kv.set", changed: ["value"] },
    { ...key, action: "kv.set", changed: ["value"] },
    { ...key, action: "kv.delete", changed: [] },
    {
      action: "kv.import",
      target_kind: "kv_collection",
      target_id: "c",
      target_name: "c",
      changed: [],
      hashed: true,
    },
  ]);
});

test("beyond the quota nothing is written, with 507", async () => {
  await plane.call("appAdmin", "PATCH", "/apps/blog/settings", { body: { quota_bytes: 220 } });
  expect((await plane.call("viewer", "GET", "/apps/blog/usage")).json).toMatchObject({
    bytes: 110,
    quota_bytes: 220,
  });
  await plane.db`truncate audit_log`;
  const refused = [await put("c/other", '"more"'), await importing('{"key":"other","value":"more"}')];
  for (const answer of refused)
    expect(expectProblem(answer, "quota_exceeded")).toMatchObject({
      status: 507,
      detail: "the app's data would be larger than its quota of 220 bytes",
      details: { quota_bytes: 220 },
    });
  expect(await audit()).toHaveLength(0);
  expect((await put("c/yek", '"more"')).status).toBe(201);
  expect((await plane.call("editor", "DELETE", `${KV}/c/yek`)).status).toBe(204);
  await plane.call("appAdmin", "PATCH", "/apps/blog/settings", { body: { quota_bytes: null } });
});
