import { afterEach, beforeAll, describe, expect, test } from "bun:test";
import { onTerminal, type Dialogue } from "../support/picloud.ts";
import { workplace } from "../support/server.ts";
import { waitFor } from "../../support/wait.ts";

const place = workplace({
  "noisy.rhai": `
    log::info("got it", #{ n: 1 });
    if ctx.request.body == "fail" { throw "no good" }
    "answer " + ctx.request.body`,
});

beforeAll(async () => {
  expect((await place.run(["deploy", "noisy.rhai", "--route", "/noisy"])).exit).toBe(0);
});

let open: Dialogue | null = null;
afterEach(() => open?.kill());

const call = (body: string) => fetch(`${place.url}/noisy`, { method: "POST", body });
async function json(...args: string[]): Promise<Record<string, unknown>[]> {
  const { exit, stdout } = await place.run([...args, "--output", "json"]);
  expect(exit).toBe(0);
  return JSON.parse(stdout) as Record<string, unknown>[];
}
/** The log is written in batches. */
async function logged(runs: number): Promise<Record<string, unknown>[]> {
  for (let attempt = 0; ; attempt++) {
    const found = await json("logs", "noisy");
    if (found.length >= runs || attempt === 50) return found;
    await Bun.sleep(100);
  }
}

describe("logs", () => {
  test("tell outcome, log lines and errors, newest first", async () => {
    await call("one");
    await call("fail");
    const [failed, first] = await logged(2);
    expect(first).toMatchObject({
      status: "success",
      status_code: 200,
      method: "POST",
      path: "/noisy",
      error: null,
      logs: [{ level: "info", message: "got it", data: { n: 1 } }],
    });
    expect(failed).toMatchObject({ status: "error", status_code: 502 });
    expect(failed?.["error"]).toContain("no good");

    const { stdout } = await place.run(["logs", "noisy", "--limit", "1"]);
    const [header = "", row = "", rest] = stdout.split("\n");
    expect(header).toStartWith("created_at\tstatus\tstatus_code\tduration_ms\t");
    expect(row.split("\t")).toHaveLength(header.split("\t").length);
    expect([row.split("\t")[1], rest]).toEqual(["error", ""]);
  });

  test("on a terminal each run is a line, with what it logged indented below", async () => {
    open = onTerminal(place.folder, ["logs", "noisy"]);
    expect(await open.exited).toBe(0);
    expect(open.shown()).toMatch(
      /\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}ERROR {4}502 {2,}[\d.]+ ms {2}POST \/noisy\r\n {4}info {2}got it \{"n":1\}\r\n {4}.*no good/,
    );
    expect(open.shown()).toMatch(/ {2}ok {7}200 {2,}[\d.]+ ms {2}POST \/noisy {2}-> .*answer one/);
  });

  test("--follow shows what was, then what comes, once each, and Ctrl-C ends it cleanly", async () => {
    await call("before");
    await logged(3);
    open = onTerminal(place.folder, ["logs", "noisy", "--follow"]);
    await open.until("answer before");
    await call("while following");
    await open.until("answer while following");
    await call("and another");
    await open.until("answer and another");
    open.type("\x03");
    expect(await open.exited).toBe(0);
    expect(open.shown().match(/while following/g)).toHaveLength(1);
    expect(open.shown()).not.toContain("AbortError");
  });

  test("--follow as JSON is one object a line", async () => {
    await call("first");
    const child = place.start(["logs", "noisy", "--follow", "--limit", "1", "--output", "json"]);
    const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    const next = async (): Promise<unknown> => JSON.parse((await lines.read()).value ?? "null");
    expect(await next()).toMatchObject({ status: "success" });
    await call("fail");
    expect(await next()).toMatchObject({ status: "error" });
    child.kill("SIGTERM");
    expect(await child.exited).toBe(0);
  });

  test("a script that is not there is exit code 4", async () => {
    expect((await place.run(["logs", "nobody"])).exit).toBe(4);
    expect((await place.run(["logs", "nobody", "--follow"])).exit).toBe(4);
  });
});

describe("executions", () => {
  test("are listed with filters, shown whole and run again", async () => {
    await call("to be repeated");
    await call("fail");
    const newestSuccess = async (): Promise<string> => {
      const [newest] = await json("executions", "ls", "--status", "success", "--limit", "1");
      return String(newest?.["execution_id"]);
    };
    const shown = async (id: string): Promise<string> =>
      (await place.run(["executions", "show", id, "--output", "json"])).stdout;
    // Rows are written shortly after the answer.
    await waitFor("both runs are in the log", async () =>
      (await shown(await newestSuccess())).includes("to be repeated"),
    );
    const failures = await json("executions", "ls", "--status", "error", "--script", "noisy");
    expect(failures.length).toBeGreaterThan(0);
    for (const run of failures) expect(run).toMatchObject({ script: "noisy", status: "error" });
    const id = await newestSuccess();
    expect(JSON.parse(await shown(id))).toMatchObject({
      execution_id: id,
      script_name: "noisy",
      request_body: { kind: "text", text: "to be repeated" },
    });

    const same = await place.run(["executions", "rerun", id, "--output", "json"]);
    expect([same.exit, JSON.parse(same.stdout)]).toMatchObject([0, { rerun_of: id, status: "success" }]);
    expect(JSON.parse(same.stdout)).toHaveProperty(
      "response_summary",
      expect.stringContaining("answer to be repeated"),
    );
    const edited = await place.run(["executions", "rerun", id, "--body", "fail"]);
    expect([edited.exit, edited.stderr]).toEqual([1, "picloud: The run ended with error.\n"]);
    expect((await place.run(["executions", "show", "nothing"])).exit).toBe(4);
  });
});
