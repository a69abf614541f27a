import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startControlPlane, type CallOptions, type ControlPlane } from "../manager/support/control-plane.ts";
import { editorsGet, expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
let scriptId = "";

beforeAll(async () => {
  plane = await startControlPlane();
  scriptId = (await save(`#{ who: ctx.principal.username, was: "first" }`)).json.script.id;
  await save(`#{ who: ctx.principal.username, was: "second" }`);
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const save = (raw: string, name = "post") =>
  plane.call("editor", "PUT", `/apps/blog/scripts/${name}`, { raw });
const invoke = (version: number, options?: CallOptions & { readonly query?: string }) =>
  plane.call(
    "editor",
    "POST",
    `/scripts/${scriptId}/versions/${version}:invoke${options?.query ?? ""}`,
    options,
  );

describe("invoking a version", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "POST /scripts/{id}/versions/{n}:invoke",
        method: "POST",
        path: () => `/scripts/${scriptId}/versions/1:invoke`,
        expect: editorsGet(200),
        check: ({ json }, actor) =>
          expect(json).toEqual({ was: "first", who: actor.endsWith("Key") ? "owner" : actor }),
      },
    ],
  );

  test("the script sees the request but not the credential, and its answer is passed on as it is", async () => {
    await save(`#{
      statusCode: 418,
      headers: #{ "x-tea": ctx.request.headers["x-cup"] },
      body: #{
        method: ctx.request.method, path: ctx.request.path, query: ctx.request.query.q, body: ctx.request.body,
        authorization: ctx.request.headers.contains("authorization"),
      },
    }`);
    const answer = await invoke(3, { body: { a: [1] }, headers: { "x-cup": "blue" }, query: "?q=1" });
    expect(answer.status).toBe(418);
    expect(answer.headers.get("x-tea")).toBe("blue");
    expect(answer.headers.get("x-execution-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.json).toEqual({
      method: "POST",
      path: `/api/v1/admin/scripts/${scriptId}/versions/3:invoke`,
      query: "1",
      body: { a: [1] },
      authorization: false,
    });
  });

  test("the run is recorded with its version, as what it was", async () => {
    const answer = await invoke(1);
    await plane.executions.flush();
    const [row] = await plane.db`
      select version, trigger_kind, status, request_id from executions
      where app_id = ${plane.blog} and id = ${answer.headers.get("x-execution-id")}`;
    expect(row).toEqual({
      version: 1,
      trigger_kind: "invoke",
      status: "success",
      request_id: answer.headers.get("x-request-id"),
    });
  });

  test("the limits are those of the version that runs", async () => {
    const id = (await save("1", "limited")).json.script.id;
    await plane.call("editor", "PUT", `/scripts/${id}`, {
      body: { source: "loop {}", sandbox: { max_operations: 1000 } },
    });
    await plane.call("editor", "PUT", `/scripts/${id}`, { body: { source: "2", sandbox: {} } });
    const answer = await plane.call("editor", "POST", `/scripts/${id}/versions/2:invoke`);
    expectProblem(answer, "budget_exceeded");
    expect(answer.status).toBe(507);
    expect((await plane.call("editor", "POST", `/scripts/${id}/versions/3:invoke`)).text).toBe("2");
  });

  test("who may read the logs is told what the script threw", async () => {
    const id = (await save(`throw "the reason"`, "thrower")).json.script.id;
    const answer = await plane.call("editor", "POST", `/scripts/${id}/versions/1:invoke`);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain("the reason");
  });

  test("versions that are not there are 404, modules 422", async () => {
    for (const version of [0, 99]) expectProblem(await invoke(version), "not_found");
    expectProblem(await plane.call("editor", "POST", `/scripts/${scriptId}/versions/x:invoke`), "not_found");
    const put = await plane.call("editor", "PUT", "/apps/blog/scripts/lib?kind=module", {
      raw: "fn one() { 1 }",
    });
    const answer = await plane.call("editor", "POST", `/scripts/${put.json.script.id}/versions/1:invoke`);
    expect(answer.status).toBe(422);
    expectProblem(answer, "script_is_module");
  });

  test("a body over the limit is 413", async () => {
    const answer = await invoke(1, { raw: "x".repeat(plane.config.maxBodyBytes + 1) });
    expect(answer.status).toBe(413);
  });

  test("a run may take longer than other requests: its own limit holds", async () => {
    const hasty = await startControlPlane({ requestTimeoutMs: 400 });
    const put = await hasty.call("editor", "PUT", "/apps/blog/scripts/long", {
      body: { source: "loop {}", timeout_seconds: 1, sandbox: { max_operations: 1_000_000_000 } },
    });
    const answer = await hasty.call("editor", "POST", `/scripts/${put.json.script.id}/versions/1:invoke`);
    expect(["timeout", "budget_exceeded"]).toContain(expectProblem(answer).code);
    await hasty.stop();
  }, 30_000);
});
