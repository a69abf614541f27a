import { afterAll, beforeAll, expect, test } from "bun:test";
import type { RecordedBody, RecordedRequest } from "../../src/services/executions/index.ts";
import { ROOT, startDataPlane, type DataPlane } from "./support/data-plane.ts";

let plane: DataPlane;
beforeAll(async () => {
  plane = await startDataPlane({ maxBodyBytes: 1024 * 1024 });
}, 60_000);
afterAll(() => plane.stop());

interface Kept {
  readonly request: RecordedRequest;
  readonly body: RecordedBody | null;
  readonly principal_id: string | null;
}

/** The rows of a script, oldest first. */
async function kept(scriptId: string): Promise<Kept[]> {
  await plane.executions.flush();
  return plane.database.db<Kept[]>`
    select request, request_body as body, principal_id from executions where script_id = ${scriptId} order by id`;
}

test("a request is kept as it came, so that it can be repeated", async () => {
  const script = await plane.deploy("/users/:id/files", "()");
  await plane.call("/users/%C3%A9/files?x=1&x=2&y=%20", {
    method: "PUT",
    headers: { "content-type": "application/json", "x-own": "v", authorization: "Bearer root-token" },
    body: '{"n": 12345678901234567890,  "text": "\\u00e9"}',
  });
  expect(await kept(script)).toEqual([
    {
      request: {
        method: "PUT",
        host: "pi.local",
        path: "/users/%C3%A9/files",
        query: "x=1&x=2&y=%20",
        headers: { "content-type": "application/json", "x-own": "v" },
        params: { id: "é" },
        rest: "",
        masked: [],
      },
      body: {
        kind: "json",
        text: '{"n": 12345678901234567890,  "text": "\\u00e9"}',
        size: 46,
        truncated: false,
      },
      principal_id: ROOT.userId,
    },
  ]);
});

test("every kind of body is kept in its own way", async () => {
  const script = await plane.deploy("/bodies", "()");
  const send = (type: string | null, body: string | Uint8Array<ArrayBuffer> | undefined) =>
    plane.call("/bodies", { method: "POST", headers: type === null ? {} : { "content-type": type }, body });
  await send(null, undefined);
  await send("application/x-www-form-urlencoded", "a=1&b=2");
  await send("text/plain", "grüße");
  await send("application/octet-stream", new Uint8Array([0, 255, 1]));
  expect((await kept(script)).map(({ body }) => body)).toEqual([
    null,
    { kind: "form", text: "a=1&b=2", size: 7, truncated: false },
    { kind: "text", text: "grüße", size: 7, truncated: false },
    { kind: "bytes", text: "AP8B", size: 3, truncated: false },
  ]);
});

test("a body is kept up to 64 KiB, and says when it was longer", async () => {
  const script = await plane.deploy("/long", "()");
  const long = `{"text":"${"é".repeat(70_000)}"}`;
  await plane.call("/long", { method: "POST", headers: { "content-type": "application/json" }, body: long });
  await plane.call("/long", { method: "POST", body: new Uint8Array(70_000).fill(200) });
  const [json, bytes] = await kept(script);
  expect(json?.body).toEqual({
    kind: "json",
    text: long.slice(0, 65_536),
    size: Buffer.byteLength(long),
    truncated: true,
  });
  expect(json?.request.masked).toEqual(["body"]);
  expect(bytes?.body).toMatchObject({ kind: "bytes", size: 70_000, truncated: true });
  expect(Buffer.from(bytes?.body?.text ?? "", "base64")).toEqual(Buffer.alloc(65_536, 200));
});

test("secrets are written nowhere, wherever in a request they stand", async () => {
  const script = await plane.deploy(
    "/reset/:token/done",
    `if ctx.request.headers["content-type"] == "application/json" {
       log::info("got " + ctx.request.body, ctx.request.body);
       print(ctx.request.body);
     }
     if ctx.request.method == "PATCH" { throw #{ why: "no", password: "S3CRET-thrown" } }
     #{ token: "S3CRET-answer", nested: #{ Password: "S3CRET-inner" } }`,
  );
  const multipart = (extra: string) =>
    `--B\r\nContent-Disposition: form-data; name="password"\r\n\r\nS3CRET-part\r\n--B\r\n` +
    `Content-Disposition: form-data; name="photo"; filename="p"\r\n\r\n${extra}\r\n--B--\r\n`;
  const bodies: readonly (readonly [string, string | Uint8Array<ArrayBuffer>])[] = [
    ["application/json", '{"user":{"password":"S3CRET-json"},"api_key":["S3CRET-list"]}'],
    ["application/x-www-form-urlencoded", "user=ada&new%5Fpassword=S3CRET-form"],
    ["application/x-www-form-urlencoded", '{"password":"S3CRET-curl"}'],
    ["text/plain", ' [{"client_secret": "S3CRET-untold"}]'],
    ["multipart/form-data; boundary=B", multipart("text")],
    ["multipart/form-data; boundary=B", new Uint8Array(Buffer.from(multipart("\xff\xfe"), "latin1"))],
    ["application/json", `{"a":"${"x".repeat(65_500)}","password":"S3CRET-long ${"y".repeat(1000)}"}`],
  ];
  for (const [type, body] of bodies) {
    for (const method of ["POST", "PATCH"]) {
      await plane.call("/reset/S3CRET-path%20x/done?access_token=S3CRET-query&page=2", {
        method,
        headers: {
          "content-type": type,
          authorization: "Bearer S3CRET-bearer",
          cookie: "session=S3CRET-cookie; picloud_session=root-token",
          "x-api-key": "S3CRET-key",
          "x-hub-signature-256": "S3CRET-signature",
          referer: "https://pi.local/login?token=S3CRET-referer&page=1",
          "x-forwarded-uri": "/a?password=S3CRET-uri",
        },
        body,
      });
    }
  }
  const rows = await kept(script);
  expect(rows).toHaveLength(bodies.length * 2);
  const [table] = await plane.database.db<{ text: string }[]>`
    select string_agg(e::text, ' ') || string_agg(encode(case when request_body->>'kind' = 'bytes'
      then decode(request_body->>'text', 'base64') else '' end, 'escape'), ' ') as text
    from executions e where script_id = ${script}`;
  expect(table?.text).toContain("why");
  expect(table?.text).not.toContain("S3CRET");
  expect(table?.text).not.toContain("root-token");
  expect(rows[0]?.request).toEqual({
    method: "POST",
    host: "pi.local",
    path: "/reset/[not recorded]/done",
    query: "access_token=[not recorded]&page=2",
    headers: {
      "content-type": "application/json",
      authorization: "[not recorded]",
      cookie: "[not recorded]",
      "x-api-key": "[not recorded]",
      "x-hub-signature-256": "[not recorded]",
      referer: "https://pi.local/login?token=[not recorded]&page=1",
      "x-forwarded-uri": "/a?password=[not recorded]",
    },
    params: { token: "[not recorded]" },
    rest: "",
    masked: expect.arrayContaining([
      "headers.authorization",
      "query.access_token",
      "params.token",
      "body.user.password",
      "body.api_key",
    ]),
  });
  // What is no secret is all there.
  expect(JSON.stringify(rows.map(({ body }) => body))).toContain("user=ada");
});

test("names of what is left out cannot blow a row up, nor break it", async () => {
  const script = await plane.deploy("/names", "()");
  const members = Array.from({ length: 200 }, (_, n) => `"password${n}${"x".repeat(300)}":1`);
  await plane.call("/names", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"\\ud800 token":"S3CRET",${members.join(",")}}`,
  });
  const [row] = await kept(script);
  expect(row?.request.masked).toHaveLength(64);
  expect(row?.request.masked?.[0]).toBe("body.\ufffd token");
  expect(row?.request.masked?.[1]).toHaveLength(200);
});

test("a flood of large bodies leaves rows with the beginning of the body", async () => {
  const app = await plane.rows.app("flood");
  await plane.rows.domain(app, "flood.local", "exact");
  const script = await plane.deploy({ path: "/in", host_kind: "strict", host: "flood.local" }, "()", {
    appId: app,
  });
  const body = "x".repeat(60_000);
  for (let i = 0; i < 100; i++) await plane.call("flood.local/in", { method: "POST", body });
  const rows = await kept(script);
  expect(rows).toHaveLength(100);
  const cut = rows.filter((row) => row.body?.truncated === true);
  expect(cut.length).toBeGreaterThan(10);
  expect(cut[0]?.body?.text).toBe("x".repeat(512));
});
