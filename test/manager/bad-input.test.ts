import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { connect } from "node:net";
import { PASSWORD, startControlPlane, type ControlPlane, type Json } from "./support/control-plane.ts";

// Over a real socket: what the transport does to a request is part of what is tested.
let plane: ControlPlane;
let server: Bun.Server<undefined>;
const authorization = `Basic ${btoa(`owner:${PASSWORD}`)}`;

beforeAll(async () => {
  plane = await startControlPlane();
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 1024 ** 3,
    fetch: (request, running) =>
      plane.manager.handle(request, { remoteAddress: running.requestIP(request)?.address ?? "" }),
  });
  expect((await put("victim?route=/victim", '"intact"')).status).toBe(201);
}, 60_000);
afterAll(async () => {
  await server?.stop(true);
  await plane?.stop();
}, 60_000);

const at = (path: string) => `http://127.0.0.1:${server.port}/api/v1/admin${path}`;
const put = (path: string, body: Bun.BodyInit, headers: Record<string, string> = {}) =>
  fetch(at(`/apps/default/scripts/${path}`), { method: "PUT", body, headers: { authorization, ...headers } });
const post = (body: Bun.BodyInit, headers: Record<string, string> = {}) =>
  fetch(at("/apps"), { method: "POST", body, headers: { authorization, ...headers } });
const JSON_TYPE = { "content-type": "application/json" };

/** The problem of an answer, and that nothing has changed. */
async function refused(answer: Response, status: number, code: string): Promise<Json> {
  const problem = (await answer.json()) as Json;
  expect({ status: answer.status, code: problem.code }).toEqual({ status, code });
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  expect(answer.headers.get("x-request-id")).toBe(problem.request_id);
  const source = await fetch(at("/apps/default/scripts/victim/source"), { headers: { authorization } });
  expect(await source.text()).toBe('"intact"');
  return problem;
}

describe("sources", () => {
  test("an empty body is refused: nearly always a file that was not there", async () => {
    await refused(await put("victim", ""), 422, "empty_source");
    await refused(await put("victim", '{"source":""}', JSON_TYPE), 422, "empty_source");
  });

  test("10 MB are refused", async () => {
    const problem = await refused(await put("victim", "x".repeat(10_000_000)), 413, "too_large");
    expect(problem.detail).toContain("256 KiB");
    expect(problem.details.limit_bytes).toBe(262_144);
  });

  test("10 MB that come in pieces, with no length told, are read no further than the limit", async () => {
    const chunk = new TextEncoder().encode("// padding\n".repeat(1000));
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        if (sent++ < 1000) controller.enqueue(chunk);
        else controller.close();
      },
    });
    await refused(await put("victim", body), 413, "too_large");
  });

  test("exactly 256 KiB are accepted, one byte more is not", async () => {
    const source = `"${"x".repeat(262_142)}"`;
    expect((await put("large", source)).status).toBe(201);
    await refused(await put("large", `${source} `), 413, "too_large");
    const asJson = JSON.stringify({ source: `${source} ` });
    await refused(await put("large", asJson, JSON_TYPE), 413, "too_large");
  });

  test("invalid UTF-8 is refused, with the place", async () => {
    const bytes = new TextEncoder().encode('let a = 1;\n"?"');
    bytes[12] = 0xff;
    const problem = await refused(await put("victim", bytes), 422, "invalid_utf8");
    expect(problem.details).toEqual({ offset: 12, line: 2 });
    const cut = new Uint8Array([0x22, 0xc3]);
    expect((await refused(await put("victim", cut), 422, "invalid_utf8")).details.offset).toBe(1);
  });

  test("UTF-16 is recognised", async () => {
    const problem = await refused(
      await put("victim", new Uint8Array([0xff, 0xfe, 0x31, 0])),
      422,
      "invalid_utf8",
    );
    expect(problem.detail).toContain("UTF-16");
  });

  test("a byte order mark is dropped", async () => {
    const answer = await put("marked", new Uint8Array([0xef, 0xbb, 0xbf, 0x31]));
    expect(((await answer.json()) as Json).script.source).toBe("1");
  });

  test("NUL bytes are refused, with the line", async () => {
    const problem = await refused(await put("victim", '1;\n"a\0b"'), 422, "invalid_source");
    expect(problem.details).toMatchObject({ line: 2 });
    await refused(await put("victim", '{"source":"a\\u0000b"}', JSON_TYPE), 422, "invalid_text");
  });

  test("half a surrogate pair in JSON is refused", async () => {
    await refused(await put("victim", '{"source":"\\ud800"}', JSON_TYPE), 422, "invalid_text");
  });

  test("a form is told how to upload instead", async () => {
    const form = new FormData();
    form.set("file", new Blob(["1"]), "hello.rhai");
    const problem = await refused(await put("victim", form), 415, "unsupported_media_type");
    expect(problem.detail).toContain("--data-binary");
  });

  test("any other content type is the source, as curl sends it", async () => {
    for (const type of ["application/x-www-form-urlencoded", "text/plain", "application/octet-stream", "x"]) {
      expect((await put("typed", `"${type}"`, { "content-type": type })).ok).toBe(true);
    }
  });
});

describe("JSON", () => {
  test("what is none is 400", async () => {
    for (const body of ["", "{", '{"slug": }', "nul", "\0", "\uFEFF{", "{}x"]) {
      await refused(await post(body, JSON_TYPE), 400, "malformed_json");
    }
    await refused(await post(new Uint8Array([0x22, 0xff, 0x22]), JSON_TYPE), 400, "malformed_json");
  });

  test("another content type, or none, is 415", async () => {
    const body = '{"slug":"a","name":"a"}';
    const problem = await refused(
      await post(body, { "content-type": "text/plain" }),
      415,
      "unsupported_media_type",
    );
    expect(problem.detail).toContain("application/json");
    await refused(await post(new TextEncoder().encode(body)), 415, "unsupported_media_type");
    expect((await post(body, { "content-type": "application/json; charset=utf-8" })).status).toBe(201);
    await plane.db`delete from apps where slug = 'a'`;
  });

  test("the wrong shape is 422, and each field is named with what is expected", async () => {
    const problem = await refused(
      await post('{"slug":7,"name":"","colour":"red"}', JSON_TYPE),
      422,
      "validation",
    );
    const fields = Object.fromEntries(problem.details.fields.map((f: Json) => [f.field, f.expected]));
    expect(Object.keys(fields).toSorted()).toEqual(["colour", "name", "slug"]);
    expect(fields.colour).toContain("slug, name, description");
    expect(fields.name).toBe("text of 1 to 128 characters");
    expect((await refused(await post("[]", JSON_TYPE), 422, "validation")).details.field).toBe("body");
    const missing = await refused(await post('{"name":"x"}', JSON_TYPE), 422, "validation");
    expect(missing.details.fields[0]).toMatchObject({ field: "slug", problem: "missing" });
  });

  test("names like those of Object.prototype are unknown fields", async () => {
    await refused(await post('{"slug":"a","name":"a","__proto__":{"x":1}}', JSON_TYPE), 422, "validation");
    await refused(await post('{"slug":"a","name":"a","constructor":1}', JSON_TYPE), 422, "validation");
  });

  test("NUL characters anywhere are 422, with the field", async () => {
    const problem = await refused(
      await post('{"slug":"a","name":"a\\u0000"}', JSON_TYPE),
      422,
      "invalid_text",
    );
    expect(problem.details.field).toBe("name");
  });

  test("deep nesting and large bodies are refused", async () => {
    await refused(await post(`${"[".repeat(100_000)}${"]".repeat(100_000)}`, JSON_TYPE), 422, "too_deep");
    await refused(await post(`"${"x".repeat(3 * 1024 * 1024)}"`, JSON_TYPE), 413, "too_large");
  });
});

describe("paths", () => {
  test("traversal and odd characters in names reach nothing else", async () => {
    const names = [
      "..%2f..%2fetc%2fpasswd",
      "a%2fb",
      "%00",
      "a%0ab",
      "%20x",
      "%5c",
      "x".repeat(129),
      "%2E%2E%2F",
    ];
    for (const name of names)
      expect([name, await rawStatus("PUT", `/apps/default/scripts/${name}`)]).toEqual([name, 422]);
    for (const name of ["%ff", "%zz", "%c3%28"]) {
      expect([name, await rawStatus("PUT", `/apps/default/scripts/${name}`)]).toEqual([name, 400]);
    }
    // The server's URL parser resolves these before anybody sees them; what is left is no endpoint.
    for (const name of ["..", "%2e%2e", ".", "../..", "../../../../../etc/passwd"]) {
      expect([name, await rawStatus("PUT", `/apps/default/scripts/${name}`)]).toEqual([name, 404]);
    }
  });

  test("deleting a script called .. does not delete the app", async () => {
    await plane.call("owner", "POST", "/apps", { body: { slug: "precious", name: "Precious" } });
    expect(await rawStatus("DELETE", "/apps/precious/scripts/..")).toBe(404);
    expect(await rawStatus("DELETE", "/apps/precious/scripts/%2e%2e")).toBe(404);
    expect(await rawStatus("DELETE", "/apps/precious/")).toBe(404);
    expect((await plane.call("owner", "GET", "/apps/precious")).status).toBe(200);
  });

  test("unknown endpoints are problem documents that name what was asked", async () => {
    for (const path of [
      "/api/v1/admin/nothing",
      "/api/v1/admin",
      "/api/v2/x",
      "/api/",
      "/api/v1/administrator",
    ]) {
      const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, { headers: { authorization } });
      const problem = await refused(answer, 404, "not_found");
      expect(problem.detail).toContain(`GET ${path}`);
    }
    const method = await fetch(at("/apps/default"), { method: "PURGE", headers: { authorization } });
    await refused(method, 404, "not_found");
  });

  test("guests learn nothing about which endpoints exist", async () => {
    expect((await fetch(at("/nothing"))).status).toBe(401);
  });

  test("a short host name is no obstacle", async () => {
    for (const host of ["p", "pi", "pi.", "x:1"]) {
      expect(await rawStatus("PUT", "/apps/default/scripts/typed", host)).toBe(200);
    }
  });

  test("a Host header of nonsense is no obstacle", async () => {
    expect(await rawStatus("PUT", "/apps/default/scripts/typed?route=/typed", "a b<>")).toBeLessThan(500);
  });
});

/** The status of a request whose path is sent exactly as given: `fetch` would resolve dots. */
function rawStatus(method: string, path: string, host = "x"): Promise<number> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(server.port ?? 0, "127.0.0.1", () => {
      socket.write(
        `${method} /api/v1/admin${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: ${authorization}\r\n` +
          'Content-Length: 3\r\nConnection: close\r\n\r\n"x"',
      );
    });
    socket.on("data", (chunk) => (answer += chunk.toString()));
    socket.on("close", () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)));
    socket.on("error", reject);
  });
}
