import { expect, test } from "bun:test";
import { workplace } from "../support/server.ts";

const place = workplace({
  "writer.rhai": 'kv::collection("orders").set(`${timestamp()}`, 1)',
  "broken.rhai": 'throw "for ever"',
});

/** A command that must succeed. @returns its rows */
async function ok(...args: string[]): Promise<Record<string, string>[]> {
  const ended = await place.run(args);
  expect(ended).toEqual({ exit: 0, stdout: ended.stdout, stderr: expect.any(String) });
  const [header = "", ...lines] = ended.stdout.trimEnd().split("\n");
  const names = header.split("\t");
  return lines.map((line) =>
    Object.fromEntries(line.split("\t").map((text, index) => [names[index] ?? "", text])),
  );
}
const letters = () => ok("dead-letters", "ls");
async function until(what: () => Promise<boolean>): Promise<void> {
  while (!(await what())) await Bun.sleep(20);
}

test("a trigger is added, disabled, enabled and deleted; what fails is listed, shown, replayed and resolved", async () => {
  await ok("deploy", "writer.rhai", "--route", "/write");
  await ok("deploy", "broken.rhai");
  const options = [
    "--collection",
    "orders",
    "--op",
    "insert",
    "--attempts",
    "1",
    "--ordering",
    "key",
    "--transactional",
  ];
  const [made] = await ok("triggers", "add", "kv", "broken", ...options);
  const id = made?.["id"] ?? "";
  expect(made).toMatchObject({
    kind: "kv",
    script: "broken",
    about: "orders insert by key transactional",
    enabled: "true",
  });
  expect((await ok("triggers", "disable", id))[0]).toMatchObject({ enabled: "false" });
  expect((await ok("triggers", "enable", id))[0]).toMatchObject({ enabled: "true" });
  expect(await ok("triggers", "ls")).toHaveLength(1);

  expect((await fetch(`${place.url}/write`)).status).toBeLessThan(300);
  await until(async () => (await letters()).length === 1);
  const [letter] = await letters();
  expect(letter).toMatchObject({ source: "kv", op: "insert", attempt_count: "1" });
  const shown = await place.run(["dead-letters", "show", letter?.["id"] ?? "", "--output", "json"]);
  expect(JSON.parse(shown.stdout).payload.kv).toMatchObject({ collection: "orders", value: 1 });
  expect((await ok("dead-letters", "replay", letter?.["id"] ?? ""))[0]).toMatchObject({
    resolution: "replayed",
  });
  await until(async () => (await ok("dead-letters", "ls", "--all")).length === 2);
  expect((await place.run(["dead-letters", "replay"])).exit).toBe(2);
  for (const [filter, found] of [
    [["--source", "kv", "--trigger", id, "--script", "broken"], 1],
    [["--source", "docs"], 0],
    [["--script", "writer"], 0],
  ] as const)
    expect([filter, (await ok("dead-letters", "ls", ...filter)).length]).toEqual([filter, found]);
  expect((await place.run(["dead-letters", "ls", "--script", "nobody"])).exit).toBe(4);
  expect((await place.run(["dead-letters", "ls", "--trigger", "x"])).exit).toBe(5);
  expect((await place.run(["dead-letters", "replay", id, "--source", "kv"])).exit).toBe(2);
  const replayed = async (...filter: string[]) =>
    (await place.run(["dead-letters", "replay", "--all", ...filter])).stdout;
  expect(await replayed("--source", "docs")).toBe("replayed\t0\n");
  expect(await replayed("--source", "kv", "--script", "broken")).toBe("replayed\t1\n");
  await until(
    async () => (await ok("dead-letters", "ls", "--all")).length === 3 && (await letters()).length === 1,
  );
  const [last] = await letters();
  expect((await ok("dead-letters", "resolve", last?.["id"] ?? ""))[0]).toMatchObject({
    resolution: "ignored",
  });
  expect((await place.run(["dead-letters", "resolve", last?.["id"] ?? ""])).exit).toBe(5);
  const [execution] = (await place.run(["triggers", "run", id, "--event", '{"op": "insert"}'])).stdout.split(
    "\n",
  );
  expect(execution).toMatch(/^execution_id\t[0-9a-f-]{36}$/);
  for (const event of ["{", "1", "[]"])
    expect((await place.run(["triggers", "run", id, "--event", event])).exit).toBe(2);
  await place.run(["triggers", "rm", id]);
  expect((await place.run(["triggers", "run", id])).exit).toBe(4);
  expect((await place.run(["triggers", "ls"])).stdout.trimEnd().split("\n")).toHaveLength(1);
}, 60_000);
