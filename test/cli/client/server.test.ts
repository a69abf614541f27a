import { expect, test } from "bun:test";
import { join } from "node:path";
import { folderWith, picloud } from "../support/picloud.ts";

/** Servers that are none of ours, or are not there. */
const folder = folderWith({});
const whoami = (url: string, env: Record<string, string> = {}) =>
  picloud(folder, ["whoami", "--url", url], "", { PICLOUD_TOKEN: "t", ...env });

test("a server that is not there", async () => {
  expect(await whoami("127.0.0.1:1")).toEqual({
    exit: 1,
    stdout: "",
    stderr:
      "picloud: Cannot reach http://127.0.0.1:1: nothing listens there. Start it with `picloud serve`, or name another server with --url.\n",
  });
});

test("a host that does not exist", async () => {
  const { exit, stderr } = await whoami("http://nowhere.invalid");
  expect([exit, stderr]).toEqual([
    1,
    'picloud: Cannot reach http://nowhere.invalid: there is no host "nowhere.invalid". Check the address given with --url.\n',
  ]);
});

test("something that is no address", async () => {
  const { exit, stderr } = await whoami("ftp://pi");
  expect([exit, stderr]).toEqual([
    2,
    'picloud: "ftp://pi" is not the address of a server, such as http://127.0.0.1:8080.\n',
  ]);
});

test.each([
  [
    "a web page",
    () => new Response("<h1>Nextcloud</h1>", { headers: { "Content-Type": "text/html" } }),
    "200 with a web page",
  ],
  ["404", () => new Response("not found", { status: 404 }), "404"],
  ["JSON of its own", () => Response.json({ hello: 1 }), "200"],
])("a web server that is no PiCloud: %s", async (_name, answer, said) => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  const url = `http://127.0.0.1:${server.port}`;
  try {
    expect(await whoami(url)).toEqual({
      exit: 1,
      stdout: "",
      stderr: `picloud: ${url} is not a PiCloud server: it answered ${said}, and GET ${url}/version does not tell a version. Name another address with --url.\n`,
    });
  } finally {
    await server.stop(true);
  }
});

test("a redirect to another server is told, and the token does not follow it", async () => {
  const seen: string[] = [];
  const target = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => (seen.push(request.url), new Response()),
  });
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => Response.redirect(`http://127.0.0.1:${target.port}/api`, 308),
  });
  try {
    const { exit, stderr } = await whoami(`http://127.0.0.1:${server.port}`);
    expect(exit).toBe(1);
    expect(stderr).toContain(
      `redirects to http://127.0.0.1:${target.port}. If that is the server that you mean:`,
    );
    expect(seen).toEqual([]);
  } finally {
    await Promise.all([server.stop(true), target.stop(true)]);
  }
});

test("https where there is only http", async () => {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  try {
    const { exit, stderr } = await whoami(`https://127.0.0.1:${server.port}`);
    expect([exit, stderr]).toEqual([
      1,
      expect.stringContaining("does not speak TLS on this port. Try http://"),
    ]);
  } finally {
    await server.stop(true);
  }
});

test("a certificate that nobody knows, and how to trust it", async () => {
  const made = Bun.spawnSync(
    [
      "openssl",
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-days",
      "1",
      "-keyout",
      "key.pem",
      "-out",
      "cert.pem",
      "-subj",
      "/CN=localhost",
      "-addext",
      "subjectAltName=DNS:localhost",
    ],
    { cwd: folder, stderr: "ignore" },
  );
  if (made.exitCode !== 0) {
    console.log("skipped: openssl is not here to make a certificate");
    return;
  }
  const cert = join(folder, "cert.pem");
  const server = Bun.serve({
    port: 0,
    tls: { cert: Bun.file(cert), key: Bun.file(join(folder, "key.pem")) },
    fetch: () =>
      Response.json(
        { id: "1", username: "ada", instance_role: "owner", email: null },
        { headers: { "X-Request-Id": "1" } },
      ),
  });
  try {
    const refused = await whoami(`https://localhost:${server.port}`);
    expect(refused.exit).toBe(1);
    expect(refused.stderr).toContain("its certificate is signed by itself. If you trust it,");
    const trusted = await whoami(`https://localhost:${server.port}`, { NODE_EXTRA_CA_CERTS: cert });
    expect([trusted.exit, trusted.stderr]).toEqual([0, ""]);
    const otherName = await whoami(`https://127.0.0.1:${server.port}`, { NODE_EXTRA_CA_CERTS: cert });
    expect(otherName.stderr).toContain("its certificate is for another name than 127.0.0.1");
  } finally {
    await server.stop(true);
  }
});

test("what a server says cannot move the terminal's cursor", async () => {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () =>
      Response.json(
        { code: "x", error: "a\u001b[2Jb", details: {} },
        { status: 409, headers: { "X-Request-Id": "1" } },
      ),
  });
  try {
    const { exit, stderr } = await whoami(`http://127.0.0.1:${server.port}`);
    expect([exit, stderr]).toEqual([5, "HTTP 409: a\\u{1b}[2Jb\n"]);
  } finally {
    await server.stop(true);
  }
});
