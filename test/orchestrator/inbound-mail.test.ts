import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createDispatcher, type Dispatcher } from "../../src/orchestrator/index.ts";
import { sealInboundSecret } from "../../src/services/inbound-mail/index.ts";
import { retentionTasks } from "../../src/services/retention/index.ts";
import { newId } from "../../src/shared/ids.ts";
import { waitFor } from "../support/wait.ts";
import { KEYRING, startDataPlane, type DataPlane } from "./support/data-plane.ts";
import { message, SECRET, signed, type Signing } from "./support/mail.ts";

setDefaultTimeout(60_000);

const MiB = 1024 * 1024;
const RECORDER =
  'let c = kv::collection("mail"); tx::run(|| { let all = c.get("all"); if all == () { all = []; } all.push(ctx.event); c.set("all", all); });';

let plane: DataPlane;
let dispatcher: Dispatcher;
let server: ReturnType<typeof Bun.serve>;
let scripts = 0;

beforeAll(async () => {
  plane = await startDataPlane({ onEvents: () => dispatcher.wake() });
  dispatcher = createDispatcher({
    db: plane.database.db,
    catalog: plane.catalog,
    runOnce: plane.orchestrator.runOnce,
    owner: newId(),
    maxConcurrent: 8,
    maxDepth: 8,
  });
  await dispatcher.start();
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    maxRequestBodySize: 1024 * MiB,
    fetch: (request, self) =>
      plane.orchestrator.handle(request, { remoteAddress: self.requestIP(request)?.address ?? "" }),
  });
});
afterAll(async () => {
  await server.stop(true);
  await dispatcher.stop(1000);
  await plane.stop();
});

interface Mailbox {
  readonly path: string;
  readonly triggerId: string;
  readonly scriptId: string;
}

/** A trigger for e-mail of an app of its own. @param options.secret null: none */
async function mailbox(
  options: {
    readonly secret?: string | null;
    readonly kind?: "email" | "kv";
    readonly enabled?: boolean;
    readonly pausedUntil?: Date;
    readonly ordering?: "key";
    readonly source?: string;
    readonly appId?: string;
  } = {},
): Promise<Mailbox & { readonly appId: string }> {
  const { db } = plane.database;
  const appId = options.appId ?? (await plane.rows.app(`mail-${++scripts}`));
  const scriptId = await plane.deploy(`/m${++scripts}`, options.source ?? RECORDER, { appId });
  const triggerId = newId();
  const { secret = SECRET } = options;
  const details =
    secret === null ? {} : await sealInboundSecret(db, KEYRING, { appId, id: triggerId }, secret);
  await db`
    insert into triggers (app_id, id, script_id, kind, enabled, paused_until, details, retry_max_attempts, retry_backoff,
      retry_base_ms, ordering)
    values (${appId}, ${triggerId}, ${scriptId}, ${options.kind ?? "email"}, ${options.enabled ?? true},
      ${options.pausedUntil ?? null}, ${db.json({ ...details } as never)}, 3, 'exponential', 10, ${options.ordering ?? null})`;
  return { appId, triggerId, scriptId, path: `/api/v1/email-inbound/${appId}/${triggerId}` };
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly json: any;
}

async function send(
  path: string,
  body: NonNullable<RequestInit["body"]>,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const response = await fetch(`${server.url.origin}${path}`, { method: "POST", body, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}
const post = (box: Mailbox, body: string, signing: Signing = {}): Promise<Answer> =>
  send(box.path, body, signed(body, signing));

const idle = () =>
  waitFor(
    "nothing is due",
    async () =>
      (await plane.database.db`select from outbox where due_at < now() + interval '1 hour'`).length === 0,
  );
/** What the scripts of an app were called with. */
async function delivered(appId: string): Promise<{ readonly email: Record<string, unknown> }[]> {
  await idle();
  const [row] = await plane.database.db<{ value: { email: Record<string, unknown> }[] }[]>`
    select value from kv_entries where app_id = ${appId} and collection = 'mail' and key = 'all'`;
  return row?.value ?? [];
}

describe("a message", () => {
  test("is accepted, and its script gets all of it in ctx.event", async () => {
    const box = await mailbox();
    const sent = {
      from: "Ada <ada@example.com>",
      to: ["orders@pi.example", "büro@pi.example"],
      cc: "carl@example.com",
      subject: "An order 📦",
      text: "Two, please.\r\n",
      html: "<p>Two, please.</p>",
      received_at: "2026-11-21T09:30:00+01:00",
      message_id: "<1@example.com>",
    };
    const answer = await post(box, JSON.stringify(sent));
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({
      accepted_at: expect.stringMatching(/^\d{4}-.*Z$/),
      execution_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      duplicate: false,
    });
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers.get("x-execution-id")).toBe(answer.json.execution_id);
    expect(answer.headers.get("ratelimit-limit")).toBe("60");
    expect(await delivered(box.appId)).toEqual([
      { source: "email", op: "receive", email: { ...sent, cc: ["carl@example.com"] } },
    ] as never);
    await plane.executions.flush();
    expect(
      await plane.database
        .db`select id, trigger_kind, status from executions where script_id = ${box.scriptId}`,
    ).toMatchObject([{ id: answer.json.execution_id, trigger_kind: "email", status: "success" }]);
  });

  test("needs a sender and recipients; what it leaves out is (), lists are empty, and it was received now", async () => {
    const box = await mailbox();
    await post(box, JSON.stringify({ from: "a@example.com", to: "b@example.com" }));
    const [event] = await delivered(box.appId);
    expect(event?.email).toEqual({
      from: "a@example.com",
      to: ["b@example.com"],
      cc: [],
      subject: null,
      text: null,
      html: null,
      received_at: expect.stringMatching(/Z$/),
      message_id: null,
    });
    expect(Math.abs(Date.parse(String(event?.email["received_at"])) - Date.now())).toBeLessThan(60_000);
  });

  test.each([
    ["no JSON", "{", "malformed_json", "The body is not JSON: it does not parse."],
    ["nothing", "", "malformed_json", "The body is not JSON: it is empty."],
    ["a list", "[]", "validation", "body: not acceptable; expected an object."],
    ["null", "null", "validation", "body: not acceptable; expected an object."],
    ["no sender", '{"to":"b"}', "validation", "from: missing; expected the address of the sender."],
    [
      "no recipient",
      '{"from":"a"}',
      "validation",
      "to: missing; expected an address, or a list of addresses.",
    ],
    ["a number as subject", message({ subject: 5 }), "validation", "subject: not acceptable; expected text."],
    [
      "a number in a list",
      message({ to: ["a", 5] }),
      "validation",
      "to: not acceptable; expected an address, or a list of addresses.",
    ],
    [
      "an empty address",
      message({ from: "" }),
      "validation",
      "from: not acceptable; expected the address of the sender.",
    ],
    [
      "a field that nobody knows",
      message({ bcc: "x" }),
      "validation",
      "bcc: unknown field; expected one of from, to, cc, subject, text, html, received_at, message_id.",
    ],
    [
      "a time that is none",
      message({ received_at: "Sat, 21 Nov 2026 09:30:00 +0100" }),
      "validation",
      "received_at: expected a time as RFC 3339, such as 2026-11-21T09:30:00Z.",
    ],
    [
      "a NUL",
      message({ text: "a\0b" }),
      "invalid_text",
      "text holds a NUL character; such text cannot be stored.",
    ],
    [
      "half a character",
      '{"from":"a","to":["\\ud800"]}',
      "invalid_text",
      "to holds half of a surrogate pair; such text cannot be stored.",
    ],
  ])("that is %s is 422, and nothing is kept", async (_name, body, code, text) => {
    const box = await mailbox();
    const answer = await post(box, body);
    expect([answer.status, answer.json.code, answer.json.error]).toEqual([422, code, text]);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(
      await plane.database.db`select from email_receipts where trigger_id = ${box.triggerId}`,
    ).toHaveLength(0);
  });

  test("that is not UTF-8 is 422", async () => {
    const box = await mailbox();
    const body = Buffer.from([0x22, 0xff, 0x22]);
    const answer = await send(box.path, body, signed(body));
    expect([answer.status, answer.json.code]).toEqual([422, "malformed_json"]);
  });

  test("may have 25 MB, far more than other requests; beyond that it is 413", async () => {
    const box = await mailbox({ source: 'kv::collection("mail").set("all", ctx.event.email.html.len())' });
    const frame = message({ html: "" });
    const largest = message({ html: "x".repeat(25 * MiB - frame.length) });
    expect(largest.length).toBeLessThanOrEqual(25 * MiB);
    expect((await post(box, largest)).status).toBe(202);
    expect((await delivered(box.appId)) as never).toBe((25 * MiB - frame.length) as never);
    const larger = message({ html: "x".repeat(25 * MiB) });
    const answer = await post(box, larger);
    expect([answer.status, answer.json.code]).toEqual([413, "too_large"]);
    // Without a length, reading stops where the limit is.
    const stream = new Blob([larger]).stream();
    expect((await send(box.path, stream, signed(larger))).status).toBe(413);
  });

  test("to a trigger that pauses is held; a script that fails gets it again", async () => {
    const later = new Date(Date.now() + 3 * 3_600_000);
    const paused = await mailbox({ pausedUntil: later, ordering: "key" });
    expect((await post(paused, message())).status).toBe(202);
    expect(
      await plane.database.db`select due_at, ordering_key from outbox where trigger_id = ${paused.triggerId}`,
    ).toMatchObject([{ due_at: later, ordering_key: "" }]);
    const failing = await mailbox({
      source:
        'let n = kv::collection("mail").incr("n"); if n < 3 { throw "not yet" } kv::collection("mail").set("all", [ctx.attempt]);',
    });
    await post(failing, message());
    expect((await delivered(failing.appId)) as never).toEqual([3] as never);
  });
});

describe("a message is kept", () => {
  test("while its app is paused, and delivered when that ends", async () => {
    const { db } = plane.database;
    const box = await mailbox();
    await db`update apps set paused_at = now() where id = ${box.appId}`;
    expect((await post(box, message())).status).toBe(202);
    await Bun.sleep(300);
    expect(await db`select from outbox where trigger_id = ${box.triggerId}`).toHaveLength(1);
    await db`update apps set paused_at = null where id = ${box.appId}`;
    dispatcher.wake();
    expect(await delivered(box.appId)).toHaveLength(1);
  });

  test("together with what it is known by, or not at all: then it may be sent again", async () => {
    const { db } = plane.database;
    const box = await mailbox();
    const body = message();
    await db.unsafe(`
      create function fail() returns trigger language plpgsql as $$ begin raise 'full'; end $$;
      create trigger fail before insert on outbox for each row when (new.app_id = '${box.appId}') execute function fail()`);
    const answer = await post(box, body);
    await db.unsafe("drop trigger fail on outbox; drop function fail()");
    expect([answer.status, answer.json.code]).toEqual([500, "internal"]);
    expect(await db`select from email_receipts where trigger_id = ${box.triggerId}`).toHaveLength(0);
    expect((await post(box, body)).json.duplicate).toBe(false);
    expect(await delivered(box.appId)).toHaveLength(1);
  });

  test("never by a trigger that is disabled at that moment", async () => {
    const { db } = plane.database;
    const box = await mailbox({ pausedUntil: new Date(Date.now() + 3 * 3_600_000) });
    const posts = Array.from({ length: 30 }, () => post(box, message()));
    await posts[0];
    await db`update triggers set enabled = false where id = ${box.triggerId}`;
    const statuses = new Set((await Promise.all(posts)).map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 202 && status !== 404)).toEqual([]);
    expect(await db`select from outbox where trigger_id = ${box.triggerId}`).toHaveLength(0);
  });
});

/** Begins to send a body that never ends. @returns what breaks the connection off */
async function beginUpload(path: string, bytes: number): Promise<() => void> {
  const headers = Object.entries({ ...signed("x"), host: "pi.local", "content-length": String(bytes) });
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port: server.port ?? 0,
    socket: {
      open: (opened) =>
        void opened.write(
          `POST ${path} HTTP/1.1\r\n${headers.map((header) => header.join(": ")).join("\r\n")}\r\n\r\n{`,
        ),
      data: () => {},
    },
  });
  return () => socket.terminate();
}

test("large bodies that are on their way together are bounded, and keep small ones out of nothing", async () => {
  const box = await mailbox();
  const large = message({ html: "x".repeat(2 * MiB) });
  const uploads: (() => void)[] = [];
  const full = async (): Promise<boolean> => (await post(box, large)).status === 503;
  // There is room for four; some may be refused beside the message that asks whether there is room.
  await waitFor("there is no room", async () => {
    uploads.push(await beginUpload(box.path, 25 * MiB));
    return full();
  });
  expect((await post(box, message())).status).toBe(202);
  for (const breakOff of uploads) breakOff();
  await waitFor("there is room again", async () => !(await full()));
  expect((await post(box, message({ html: "x".repeat(2 * MiB) }))).status).toBe(202);
});

describe("a path", () => {
  test("that leads to no trigger for e-mail is 404, whatever the reason, and all look alike", async () => {
    const box = await mailbox();
    const other = await mailbox({ kind: "kv" });
    const disabled = await mailbox({ enabled: false });
    const base = "/api/v1/email-inbound";
    const bodies = new Set<string>();
    for (const path of [
      `${base}/${box.appId}/${newId()}`,
      `${base}/${newId()}/${box.triggerId}`,
      `${base}/${other.appId}/${box.triggerId}`,
      other.path,
      disabled.path,
      `${base}/${box.appId}`,
      `${base}/${box.appId}/`,
      `${box.path}/`,
      `${box.path}/x`,
      `${base}/default/${box.triggerId}`,
      `${base}/${box.appId}/x`,
      `${base}/`,
    ]) {
      // Neither signature nor body matters.
      for (const headers of [{}, signed("x")]) {
        const answer = await send(path, "x", headers);
        expect([path, answer.status]).toEqual([path, 404]);
        bodies.add(JSON.stringify({ ...answer.json, request_id: "" }));
      }
    }
    expect([...bodies]).toHaveLength(1);
    expect(
      (await post({ ...box, path: box.path.toUpperCase().replace("/API/V1/EMAIL-INBOUND", base) }, message()))
        .status,
    ).toBe(202);
  });

  test("answers POST only", async () => {
    const box = await mailbox();
    for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
      const response = await fetch(`${server.url.origin}${box.path}`, { method });
      expect([method, response.status, response.headers.get("allow")]).toEqual([method, 405, "POST"]);
    }
  });

  test("of a trigger without a secret needs no signature, and cares for none", async () => {
    const box = await mailbox({ secret: null });
    const body = message();
    expect((await send(box.path, body)).status).toBe(202);
    expect((await send(box.path, body, { "x-picloud-signature": "nonsense" })).json.duplicate).toBe(true);
    expect(await delivered(box.appId)).toHaveLength(1);
  });
});

describe("a signature", () => {
  test("is of the body, or of the timestamp, a dot and the body", async () => {
    const box = await mailbox();
    for (const signs of ["body", "timestamp and body"] as const)
      expect([signs, (await post(box, message(), { signs })).status]).toEqual([signs, 202]);
    const body = message();
    const { "x-picloud-signature": signature = "", ...rest } = signed(body);
    const upper = `sha256=${signature.slice(7).toUpperCase()}`;
    expect((await send(box.path, body, { ...rest, "x-picloud-signature": upper })).status).toBe(202);
  });

  test("is of the bytes as they are sent, not of what they mean", async () => {
    const box = await mailbox();
    const body = message({ text: "é" });
    const escaped = body.replace("é", "\\u00e9");
    expect(JSON.parse(escaped)).toEqual(JSON.parse(body));
    expect((await send(box.path, escaped, signed(body))).json.code).toBe("signature_invalid");
    expect((await send(box.path, `${body}\n`, signed(body))).json.code).toBe("signature_invalid");
    expect((await send(box.path, escaped, signed(escaped))).status).toBe(202);
  });

  test("that is missing, malformed, or made with another secret is 401, and nothing is kept", async () => {
    const box = await mailbox();
    const other = await mailbox({ secret: "another secret", appId: box.appId });
    const body = message();
    const right = signed(body);
    const without = (name: string) =>
      Object.fromEntries(Object.entries(right).filter(([key]) => key !== name));
    const hex = right["x-picloud-signature"] ?? "";
    for (const [headers, code] of [
      [{}, "signature_missing"],
      [without("x-picloud-signature"), "signature_missing"],
      [without("x-picloud-timestamp"), "timestamp_missing"],
      [{ ...right, "x-picloud-timestamp": "soon" }, "timestamp_missing"],
      [{ ...right, "x-picloud-signature": hex.slice(7) }, "signature_missing"],
      [{ ...right, "x-picloud-signature": hex.slice(0, -2) }, "signature_missing"],
      [{ ...right, "x-picloud-signature": `${hex}00` }, "signature_missing"],
      [{ ...right, "x-picloud-signature": `sha256=${"0".repeat(64)}` }, "signature_invalid"],
      [signed(body, { secret: "another secret" }), "signature_invalid"],
      [signed(body, { secret: "" }), "signature_invalid"],
      [signed(`${body} `), "signature_invalid"],
    ] as const) {
      const answer = await send(box.path, body, headers);
      expect([headers, answer.status, answer.json.code]).toEqual([headers, 401, code]);
      expect(answer.text).not.toContain(SECRET);
    }
    expect((await send(other.path, body, right)).status).toBe(401);
    // Before anybody looks at what it holds.
    expect((await send(box.path, "{", {})).status).toBe(401);
    expect(await plane.database.db`select from email_receipts where app_id = ${box.appId}`).toHaveLength(0);
    expect(await delivered(box.appId)).toEqual([]);
  });

  test("is good for five minutes either way, by seconds, milliseconds or RFC 3339", async () => {
    const box = await mailbox();
    const minutes = (count: number): number => Date.now() + count * 60_000;
    for (const at of [minutes(-4.9), minutes(4.9)]) {
      expect([at, (await post(box, message(), { at })).status]).toEqual([at, 202]);
      const timestamp = new Date(at).toISOString();
      expect([at, (await post(box, message(), { timestamp })).status]).toEqual([at, 202]);
      expect([at, (await post(box, message(), { timestamp: String(Math.floor(at)) })).status]).toEqual([
        at,
        202,
      ]);
    }
    for (const at of [minutes(-5.1), minutes(5.1), 0, 9_999_999_999_000]) {
      const { status, json } = await post(box, message(), { at, signs: "timestamp and body" });
      expect([at, status, json.code]).toEqual([at, 401, "timestamp_outside_window"]);
    }
  });

  test("of the timestamp too is void under another timestamp", async () => {
    const box = await mailbox();
    const body = message();
    const headers = signed(body, { at: Date.now() - 60_000, signs: "timestamp and body" });
    expect(
      (
        await send(box.path, body, {
          ...headers,
          "x-picloud-timestamp": String(Math.floor(Date.now() / 1000)),
        })
      ).json.code,
    ).toBe("signature_invalid");
    expect((await send(box.path, body, headers)).status).toBe(202);
  });

  test("of a trigger that was moved to another one opens nothing", async () => {
    const box = await mailbox();
    const other = await mailbox({ appId: box.appId });
    await plane.database.db`
      update triggers t set details = o.details from triggers o where t.id = ${box.triggerId} and o.id = ${other.triggerId}`;
    const answer = await post(box, message());
    expect([answer.status, answer.json.code]).toEqual([500, "secret_unreadable"]);
  });
});

describe("a message that comes again", () => {
  test("by its Message-ID is accepted, and not delivered again", async () => {
    const box = await mailbox();
    const first = await post(box, message({ message_id: "<a>", text: "one" }));
    const again = await post(box, message({ message_id: "<a>", text: "two" }));
    expect(again.status).toBe(202);
    expect(again.json).toEqual({ ...first.json, duplicate: true });
    await post(box, message({ message_id: "<b>", text: "three" }));
    expect((await delivered(box.appId)).map(({ email }) => email["text"]).toSorted()).toEqual([
      "one",
      "three",
    ]);
    // Another trigger knows nothing of that.
    const other = await mailbox({ appId: box.appId });
    expect((await post(other, message({ message_id: "<a>" }))).json.duplicate).toBe(false);
  });

  test("by its signature likewise, also under a later timestamp, which the signature does not hold", async () => {
    const box = await mailbox();
    const body = message({ message_id: null });
    expect((await post(box, body, { at: Date.now() - 120_000 })).json.duplicate).toBe(false);
    expect((await post(box, body)).json.duplicate).toBe(true);
    expect((await post(box, body)).json.duplicate).toBe(true);
    expect(await delivered(box.appId)).toHaveLength(1);
  });

  test("without a Message-ID, signed with its timestamp, is another one", async () => {
    const box = await mailbox();
    const body = message({ message_id: "" });
    const at = Date.now();
    for (const [ms, duplicate] of [
      [at, false],
      [at, true],
      [at - 1000, false],
    ] as const)
      expect((await post(box, body, { at: ms, signs: "timestamp and body" })).json.duplicate).toBe(duplicate);
    expect(await delivered(box.appId)).toHaveLength(2);
  });

  test("at the same moment is delivered once", async () => {
    const box = await mailbox();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => post(box, message({ message_id: "<same>", text: String(n) }))),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    expect(answers.filter(({ json }) => !json.duplicate)).toHaveLength(1);
    expect(new Set(answers.map(({ json }) => json.execution_id)).size).toBe(1);
    expect(await delivered(box.appId)).toHaveLength(1);
  });

  test("after a day is a new one; what is older is swept", async () => {
    const { db } = plane.database;
    const box = await mailbox();
    const age = (hours: number) => db`
      update email_receipts set received_at = received_at - make_interval(hours => ${hours}) where trigger_id = ${box.triggerId}`;
    await post(box, message({ message_id: "<old>", text: "1" }));
    await age(23);
    expect((await post(box, message({ message_id: "<old>", text: "2" }))).json.duplicate).toBe(true);
    await age(2);
    expect((await post(box, message({ message_id: "<old>", text: "3" }))).json.duplicate).toBe(false);
    expect((await post(box, message({ message_id: "<old>", text: "4" }))).json.duplicate).toBe(true);
    expect(await delivered(box.appId)).toHaveLength(2);
    const task = retentionTasks({
      executionLogRetentionDays: 30,
      executionLogMaxPerScript: 100,
      deadLetterRetentionDays: 30,
    }).find(({ name }) => name === "email_receipts");
    const left = () => db`select from email_receipts where trigger_id = ${box.triggerId}`;
    const before = (await left()).length;
    expect(await task?.sweep(db, new Date())).toBe(false);
    // The signatures of 1 and 2.
    expect((await left()).length).toBe(before - 2);
    await db`delete from triggers where id = ${box.triggerId}`;
    expect(await left()).toHaveLength(0);
  });
});

describe("more than sixty a minute", () => {
  test("are 429, for each trigger by itself; those with a wrong signature use nothing up", async () => {
    const box = await mailbox();
    const other = await mailbox({ appId: box.appId });
    for (let n = 0; n < 60; n++) expect((await send(box.path, message(), signed("wrong"))).status).toBe(401);
    const wrong = await send(box.path, message(), signed("wrong"));
    expect([wrong.status, wrong.json.code]).toEqual([429, "rate_limited"]);
    for (let n = 0; n < 60; n++) expect([n, (await post(box, message())).status]).toEqual([n, 202]);
    const refused = await post(box, message());
    expect([refused.status, refused.json.code]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeWithin(1, 61);
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    expect((await post(other, message())).status).toBe(202);
    expect(await delivered(box.appId)).toHaveLength(61);
  });
});
