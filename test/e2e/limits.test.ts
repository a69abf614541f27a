import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Client, Installation, type PiCloud } from "./support/picloud.ts";

const LONG = 120_000;
const installation = new Installation();
let server: PiCloud;
let client: Client;
beforeAll(async () => {
  server = await installation.serve();
  if (server.login === null) throw new Error(server.output());
  client = new Client(server.url, server.login);
  const created = await client.fetch("/api/v1/admin/apps", json({ slug: "neighbour", name: "Neighbour" }));
  expect(created.status).toBe(201);
  expect(
    (await client.fetch("/api/v1/admin/apps/neighbour/domains", json({ pattern: "neighbour.test" }))).status,
  ).toBe(201);
  const deployed = await client.fetch("/api/v1/admin/apps/neighbour/scripts/calm?route=/calm", {
    method: "PUT",
    body: '"calm"',
  });
  expect(deployed.status).toBe(201);
}, LONG);
afterAll(() => installation.remove());

const json = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify(body),
});

/** Deploys a script of the default app with settings of its own. */
async function deploy(name: string, source: string, settings: Record<string, unknown>): Promise<void> {
  const answer = await client.fetch(`/api/v1/admin/apps/default/scripts/${name}?route=/${name}`, {
    method: "PUT",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ source, ...settings }),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
}

/** Resident memory of the server process, in bytes. */
const resident = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, "utf8"))?.[1]) * 1024;

const neighbour = (): Promise<Response> =>
  fetch(`${server.url}/calm`, { headers: { Host: "neighbour.test" } });

test("an endless loop ends with 507 when its operations run out", async () => {
  await deploy("spin", "while true {}", {});
  const answer = await fetch(`${server.url}/spin`);
  expect(answer.status).toBe(507);
  expect(await answer.json()).toMatchObject({ code: "budget_exceeded" });
});

test("an endless loop with operations to spare ends with 504 at its time limit", async () => {
  await deploy("spin-long", "while true {}", {
    timeout_seconds: 1,
    sandbox: { max_operations: 1_000_000_000 },
  });
  const start = performance.now();
  const answer = await fetch(`${server.url}/spin-long`);
  const took = performance.now() - start;
  expect([504, 507]).toContain(answer.status);
  expect(took).toBeLessThan(1000 + 50 + 100); // the limit, plus 50 ms, plus what a loaded machine adds
});

test(
  "while 20 endless loops run, another app keeps answering",
  async () => {
    await deploy("hog", "while true {}", { timeout_seconds: 3, sandbox: { max_operations: 1_000_000_000 } });
    const hogs = Array.from({ length: 20 }, () => fetch(`${server.url}/hog`));
    await Bun.sleep(300);
    for (let round = 0; round < 20; round++) {
      const answer = await neighbour();
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe("calm");
    }
    for (const answer of await Promise.all(hogs)) expect([503, 504, 507]).toContain(answer.status);
  },
  LONG,
);

describe("memory bombs end with 507, the process stays under 400 MB and keeps serving", () => {
  const BOMBS = {
    "doubling-string": 'let s = "x"; loop { s += s; }',
    "array-of-arrays": "let a = []; loop { let b = []; b.pad(1000, 7); a.push(b); }",
    "nested-arrays": "let a = [1, 2, 3]; loop { a = [a, a]; }",
    "deep-recursion": "fn f(n) { f(n + 1) } f(0)",
    "closure-hoard": "let hoard = []; loop { let x = []; x.pad(100, hoard.len()); hoard.push(|| x.len()); }",
    "map-of-maps": 'let m = #{}; let i = 0; loop { m["k" + i] = #{ a: [i, i], b: "text" + i }; i += 1; }',
    "many-strings": 'let a = []; let i = 0; loop { a.push("some longer text number " + i); i += 1; }',
    blobs: "let a = []; loop { a.push(blob(100000, 1)); }",
    interpolation: "let s = `x`; loop { s = `${s}${s}`; }",
  };
  for (const [name, source] of Object.entries(BOMBS)) {
    test(
      name,
      async () => {
        await deploy(name, source, { sandbox: { max_operations: 1_000_000_000 }, timeout_seconds: 20 });
        const answer = await fetch(`${server.url}/${name}`);
        expect(await answer.json()).toMatchObject({ status: 507, code: "budget_exceeded" });
        expect(resident()).toBeLessThan(400e6);
        expect((await neighbour()).status).toBe(200);
      },
      LONG,
    );
  }

  test(
    "all of them at once",
    async () => {
      let highest = 0;
      const watch = setInterval(() => (highest = Math.max(highest, resident())), 20);
      const answers = await Promise.all(
        Object.keys(BOMBS).flatMap((name) => [
          fetch(`${server.url}/${name}`),
          fetch(`${server.url}/${name}`),
        ]),
      );
      clearInterval(watch);
      for (const answer of answers) expect([503, 504, 507]).toContain(answer.status);
      expect(highest).toBeLessThan(400e6);
      expect((await neighbour()).status).toBe(200);
    },
    LONG,
  );
});
