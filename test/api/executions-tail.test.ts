import { afterAll, beforeAll, expect, test } from "bun:test";
import { createTails } from "../../src/manager/executions/tail.ts";
import { setCaller } from "../../src/manager/http/caller.ts";
import type { ExecutionRow } from "../../src/services/executions/index.ts";
import { newId } from "../../src/shared/ids.ts";
import {
  PASSWORD,
  startControlPlane,
  type Actor,
  type ControlPlane,
  type Json,
} from "../manager/support/control-plane.ts";
import { runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
let first = "";
let second = "";

beforeAll(async () => {
  plane = await startControlPlane({ heartbeatMs: 50 });
  const deploy = async (name: string) =>
    (await plane.call("editor", "PUT", `/apps/blog/scripts/${name}`, { raw: "1" })).json.script.id;
  first = await deploy("first");
  second = await deploy("second");
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

runScenarios(
  () => plane,
  [
    {
      name: "GET /apps/{app}/executions:tail",
      method: "GET",
      path: "/apps/blog/executions:tail",
      expect: {
        guest: 401,
        wrong: 401,
        outsider: 404,
        deactivated: 401,
        otherBoundKey: 404,
        expiredKey: 401,
      },
    },
    {
      name: "GET /apps/{app}/executions:tail with a filter that names nothing",
      method: "GET",
      path: "/apps/blog/executions:tail?script=nothing",
      expect: { viewer: 404 },
    },
    {
      name: "GET /apps/{app}/executions:tail with a filter that does not exist",
      method: "GET",
      path: "/apps/blog/executions:tail?status=fine",
      expect: { viewer: 422 },
    },
  ],
);

interface Message {
  readonly event: string;
  readonly id: string;
  readonly data: Json;
}

const readerOf = (response: Response) => (response.body as ReadableStream<Uint8Array>).getReader();

/** Reads a stream; comments are counted, not kept. */
class Stream {
  readonly messages: Message[] = [];
  comments = 0;
  ended = false;
  readonly #reader: ReturnType<typeof readerOf>;
  constructor(response: Response) {
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    expect(response.headers.get("cache-control")).toBe("no-store");
    this.#reader = readerOf(response);
  }
  /** Reads until that is so, or the stream has ended. */
  async until(reached: () => boolean): Promise<void> {
    const decoder = new TextDecoder();
    let text = "";
    while (!this.ended && (text !== "" || !reached())) {
      const { done, value } = await this.#reader.read();
      this.ended = done;
      text += decoder.decode(value, { stream: true });
      for (let end = text.indexOf("\n\n"); end !== -1; end = text.indexOf("\n\n")) {
        this.#take(text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  }
  #take(block: string): void {
    if (block.startsWith(":")) this.comments++;
    else {
      const fields = new Map(
        block
          .split("\n")
          .map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)]),
      );
      this.messages.push({
        event: fields.get("event") ?? "message",
        id: fields.get("id") ?? "",
        data: JSON.parse(fields.get("data") ?? "null"),
      });
    }
  }
  cancel = (): Promise<void> => this.#reader.cancel();
}

async function tokenOf(user: Actor): Promise<string> {
  return (await plane.identity.login({ username: user, password: PASSWORD }, "10.9.9.9")).token;
}

async function tail(query = "", token?: string): Promise<Stream> {
  const request = new Request(`http://pi:8080/api/v1/admin/apps/blog/executions:tail${query}`, {
    headers: { authorization: `Bearer ${token ?? (await tokenOf("viewer"))}` },
  });
  const stream = new Stream(await plane.manager.handle(request, { remoteAddress: "10.0.0.1" }));
  await stream.until(() => stream.comments > 0);
  return stream;
}

const row = (changes: Partial<ExecutionRow> = {}): ExecutionRow => {
  const id = newId();
  return {
    appId: plane.blog,
    id,
    scriptId: first,
    version: 1,
    requestId: newId(),
    rootExecutionId: id,
    triggerKind: "http",
    triggerId: null,
    status: "success",
    statusCode: 200,
    durationMs: 1,
    operations: 1,
    request: null,
    heldBytes: 0,
    rerunOf: null,
    principalId: null,
    responseSummary: "line\nbreak",
    error: null,
    logs: [],
    createdAt: plane.clock.now(),
    ...changes,
  };
};

function finish(changes: Partial<ExecutionRow> = {}): string {
  const run = row(changes);
  plane.executions.record(run, () => run);
  return run.id;
}

test("a run is told when it ends, as the list shows it, to each who listens", async () => {
  const streams = [await tail(), await tail("", plane.keys.readKey), await tail("", plane.keys.boundKey)];
  const answer = await plane.call("editor", "POST", `/scripts/${first}/versions/1:invoke`, {
    body: { token: "S3CRET" },
  });
  const id = answer.headers.get("x-execution-id") ?? "";
  const { json: listed } = await plane.call("viewer", "GET", "/apps/blog/executions?limit=1");
  for (const stream of streams) {
    await stream.until(() => stream.messages.length > 0);
    expect(stream.messages).toHaveLength(1);
    expect(stream.messages[0]).toMatchObject({ event: "message", id, data: { id, script_id: first } });
    expect(JSON.stringify(stream.messages)).not.toContain("S3CRET");
    await stream.cancel();
  }
  await plane.executions.flush();
  const page = await plane.call("viewer", "GET", "/apps/blog/executions?limit=1");
  expect(listed.items.length).toBeLessThanOrEqual(1);
  expect(streams[0]?.messages[0]?.data).toEqual(page.json.items[0]);
});

test("only what is asked for is told, and nothing of other apps", async () => {
  const all = await tail();
  const ofSecond = await tail(`?script=${second}`);
  const byName = await tail("?script=second&status=error");
  const ids = [
    finish(),
    finish({ scriptId: second }),
    finish({ scriptId: second, status: "error" }),
    finish({ status: "timeout" }),
  ];
  finish({ appId: newId() });
  await all.until(() => all.messages.length === 4);
  await ofSecond.until(() => ofSecond.messages.length === 2);
  await byName.until(() => byName.messages.length === 1);
  const seen = (stream: Stream) => stream.messages.map(({ id }) => id);
  expect(seen(all)).toEqual(ids);
  expect(seen(ofSecond)).toEqual(ids.slice(1, 3));
  expect(seen(byName)).toEqual(ids.slice(2, 3));
  for (const stream of [all, ofSecond, byName]) await stream.cancel();
});

test("a client that does not keep up is told so and let go; others are not held up", async () => {
  const slow = await tail();
  const quick = await tail();
  const ids: string[] = [];
  for (let batch = 0; batch < 5; batch++) {
    for (let i = 0; i < 100; i++) ids.push(finish());
    await quick.until(() => quick.messages.length === ids.length);
  }
  await slow.until(() => false);
  expect(slow.ended).toBe(true);
  expect(slow.messages.at(-1)).toMatchObject({ event: "lagged", data: { code: "lagged" } });
  expect(slow.messages.length).toBeLessThanOrEqual(258);
  expect(slow.messages.slice(0, -1).map(({ id }) => id)).toEqual(ids.slice(0, slow.messages.length - 1));
  expect(quick.messages.map(({ id }) => id)).toEqual(ids);
  await quick.cancel();
});

test("a quiet stream shows signs of life", async () => {
  const stream = await tail();
  await stream.until(() => stream.comments >= 4);
  expect(stream.messages).toEqual([]);
  await stream.cancel();
});

test.each([
  [
    "the login ends",
    async (token: string) =>
      void (await plane.call("guest", "POST", "/auth/logout", {
        headers: { authorization: `Bearer ${token}` },
      })),
    "unauthorized",
  ],
  [
    "the user is deactivated",
    async () => void (await plane.db`update users set is_active = false where username = 'viewer'`),
    "unauthorized",
  ],
  [
    "the membership ends",
    async () =>
      void (await plane.db`update app_members set user_id = ${plane.users["outsider"] ?? ""} where user_id = ${plane.users["viewer"] ?? ""}`),
    "not_found",
  ],
])("when %s, so does the stream", async (_name, lose, code) => {
  const token = await tokenOf("viewer");
  const stream = await tail("", token);
  await lose(token);
  await stream.until(() => false);
  expect(stream.messages).toEqual([{ event: "closed", id: "", data: { code } }]);
  await plane.db`update users set is_active = true where username = 'viewer'`;
  await plane.db`update app_members set user_id = ${plane.users["viewer"] ?? ""} where user_id = ${plane.users["outsider"] ?? ""}`;
});

test("a client that goes away leaves nothing behind", async () => {
  const server = Bun.serve({
    port: 0,
    fetch: (request) => plane.manager.handle(request, { remoteAddress: "10.0.0.1" }),
  });
  // The app's allowance of rows is used up, so that a row is only made for those who listen.
  for (let i = 0; i < 5000; i++) finish({ status: "error" });
  const isWatched = (): boolean => {
    let made = false;
    const run = row();
    plane.executions.record(run, () => {
      made = true;
      return run;
    });
    return made;
  };
  expect(isWatched()).toBe(false);
  const leave = new AbortController();
  const response = await fetch(`${server.url}api/v1/admin/apps/blog/executions:tail`, {
    headers: { authorization: `Bearer ${await tokenOf("viewer")}` },
    signal: leave.signal,
  });
  const stream = new Stream(response);
  await stream.until(() => stream.comments > 0);
  expect(isWatched()).toBe(true);
  await stream.until(() => stream.messages.length > 0);
  leave.abort();
  for (let i = 0; i < 200 && isWatched(); i++) await Bun.sleep(10);
  expect(isWatched()).toBe(false);
  await server.stop(true);
});

test("there are no more streams than the server can hold", async () => {
  // Of their own, so that two hundred heartbeats do not keep the database busy.
  const tails = createTails(plane, 60_000);
  const request = new Request("http://pi:8080/", {
    headers: { authorization: `Bearer ${plane.keys.fullKey}` },
  });
  setCaller(request, {
    requestId: newId(),
    address: "10.0.0.1",
    connection: { remoteAddress: "10.0.0.1", mayBeSilentFor: () => {} },
    origin: "http://pi:8080",
    secure: false,
    authentication: await plane.identity.authenticate(request.headers, "10.0.0.1"),
  });
  const streams: Response[] = [];
  for (let i = 0; i < 200; i++) streams.push(await tails.open(request, "blog", {}));
  await expect(tails.open(request, "blog", {})).rejects.toMatchObject({
    status: 503,
    code: "too_many_streams",
  });
  await streams[0]?.body?.cancel();
  streams.push(await tails.open(request, "blog", {}));
  tails.stop();
  await tails.open(request, "blog", {}).then(({ body }) => body?.cancel());
});

test("all streams end when PiCloud stops", async () => {
  const streams = [await tail(), await tail()];
  plane.manager.stop();
  for (const stream of streams) {
    await stream.until(() => false);
    expect(stream.messages).toEqual([{ event: "closed", id: "", data: { code: "stopping" } }]);
  }
});
