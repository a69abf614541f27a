import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Transaction } from "../../src/database/client.ts";
import { PASSWORD, startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";
import { expectProblem, instanceAdminsGet, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

let made = 0;
/** A user of their own, so that a test can do as it likes with them. */
async function person(role: "owner" | "admin" | "member" = "member") {
  const username = `person${made++}`;
  const { json } = await plane.call("owner", "POST", "/admins", {
    body: { username, password: PASSWORD, instance_role: role },
  });
  return { id: json.id as string, username };
}

const login = (username: string, password = PASSWORD, address = "10.2.0.1") =>
  plane.call("guest", "POST", "/auth/login", { body: { username, password }, address });
const withToken = (token: string, method: string, path: string, body?: unknown) =>
  plane.call("guest", method, path, { body, headers: { authorization: `Bearer ${token}` } });
const basic = (username: string, password: string, address = "10.3.0.1") =>
  plane.call("guest", "GET", "/auth/me", {
    address,
    headers: { authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` },
  });

describe("users", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /admins",
        method: "GET",
        path: "/admins",
        expect: instanceAdminsGet(200),
        contains: ["owner@example.com"],
        check: ({ json }) =>
          expect(Object.keys(json[0]).toSorted()).toEqual([
            "created_at",
            "email",
            "id",
            "instance_role",
            "is_active",
            "last_login_at",
            "username",
          ]),
      },
      {
        name: "GET /admins/{id}",
        method: "GET",
        path: () => `/admins/${plane.users["viewer"]}`,
        // Everybody may read themselves.
        expect: { ...instanceAdminsGet(200), viewer: 200 },
        excludes: ["owner@example.com", "appAdmin@example.com"],
      },
      {
        name: "GET /admins/{id} of nobody",
        method: "GET",
        path: "/admins/nobody",
        expect: { guest: 401, owner: 404 },
      },
      {
        name: "POST /admins",
        method: "POST",
        path: "/admins",
        options: { body: { username: "newcomer", password: "long enough" } },
        expect: instanceAdminsGet(201),
        contains: ['"instance_role":"admin"'],
        excludes: ["long enough"],
        restore: (running) => running.db`delete from users where username = 'newcomer'`,
      },
      {
        name: "POST /admins for an owner",
        method: "POST",
        path: "/admins",
        options: { body: { username: "newcomer", password: "long enough", instance_role: "owner" } },
        expect: { owner: 201, admin: 422, viewer: 403 },
        restore: (running) => running.db`delete from users where username = 'newcomer'`,
      },
      {
        name: "PATCH /admins/{id}",
        method: "PATCH",
        path: () => `/admins/${plane.users["outsider"]}`,
        options: { body: { email: "other@example.com" } },
        // Everybody may change their own address.
        expect: { ...instanceAdminsGet(200), outsider: 200 },
      },
      {
        name: "PATCH of an owner",
        method: "PATCH",
        path: () => `/admins/${plane.users["owner"]}`,
        options: { body: { email: "owner@example.com" } },
        expect: { ...instanceAdminsGet(200), admin: 422 },
      },
      {
        name: "DELETE of an owner",
        method: "DELETE",
        path: () => `/admins/${plane.users["owner"]}`,
        expect: { guest: 401, owner: 422, admin: 422, viewer: 403 },
      },
      {
        name: "GET /auth/me",
        method: "GET",
        path: "/auth/me",
        expect: {
          guest: 401,
          wrong: 401,
          owner: 200,
          admin: 200,
          outsider: 200,
          viewer: 200,
          editor: 200,
          appAdmin: 200,
        },
        check: ({ json }, actor) => {
          expect(json.username).toBe(actor);
          expect(Object.keys(json).toSorted()).toEqual(["email", "id", "instance_role", "username"]);
        },
      },
    ],
  );

  test("usernames and addresses are unique without regard to case", async () => {
    const post = (body: object) =>
      plane.call("owner", "POST", "/admins", { body: { password: PASSWORD, ...body } });
    expectProblem(await post({ username: "OWNER" }), "username_taken");
    expectProblem(await post({ username: "fresh", email: "Owner@Example.com" }), "email_taken");
    expectProblem(await post({ username: "with:colon" }), "validation");
    const short = await post({ username: "fresh", password: "short" });
    expect(expectProblem(short, "validation").details).toMatchObject({ field: "password" });
    expect(short.text).not.toContain('"short"');
  });

  test("the last active owner can be neither demoted, deactivated nor deleted", async () => {
    const path = `/admins/${plane.users["owner"]}`;
    const patch = (body: object) => plane.call("owner", "PATCH", path, { body });
    expectProblem(await patch({ instance_role: "admin" }), "last_owner");
    expectProblem(await patch({ is_active: false }), "last_owner");
    expectProblem(await plane.call("owner", "DELETE", path), "last_owner");
  });

  test("of two owners who demote each other at once, one stays", async () => {
    const second = await person("owner");
    const { json } = await login(second.username);
    const answers = await Promise.all([
      plane.call("owner", "PATCH", `/admins/${second.id}`, { body: { instance_role: "admin" } }),
      withToken(json.token, "PATCH", `/admins/${plane.users["owner"]}`, { instance_role: "admin" }),
    ]);
    expect(answers.filter((answer) => answer.status === 200).length).toBe(1);
    await plane.db`update users set instance_role = 'owner' where username = 'owner'`;
    await plane.db`delete from users where id = ${second.id}`;
  });

  test("a member may change their own password, but not their role", async () => {
    const me = await person();
    const { json } = await login(me.username);
    const patch = (body: object) => withToken(json.token, "PATCH", `/admins/${me.id}`, body);
    expect((await patch({ instance_role: "owner" })).status).toBe(403);
    expect((await patch({ is_active: false })).status).toBe(403);
    expect((await patch({ password: "another password" })).status).toBe(200);
  });

  test("a changed password ends the sessions and Basic logins of that user, and is told", async () => {
    const me = await person();
    const { json } = await login(me.username);
    expect((await basic(me.username, PASSWORD)).status).toBe(200);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(200);
    await plane.call("owner", "PATCH", `/admins/${me.id}`, { body: { password: "another password" } });
    expect((await basic(me.username, PASSWORD)).status).toBe(401);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(401);
    expect((await basic(me.username, "another password")).status).toBe(200);
    expect(plane.passwordChanges.at(-1)).toBe(me.username);
  });

  test("who is deactivated is out at once, on every way in", async () => {
    const me = await person();
    const { json } = await login(me.username);
    expect((await basic(me.username, PASSWORD)).status).toBe(200);
    await plane.call("admin", "PATCH", `/admins/${me.id}`, { body: { is_active: false } });
    expect((await basic(me.username, PASSWORD)).status).toBe(401);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(401);
    expect((await login(me.username)).status).toBe(401);
  });

  test("who is deleted is out at once", async () => {
    const me = await person();
    const { json } = await login(me.username);
    expect((await plane.call("admin", "DELETE", `/admins/${me.id}`)).status).toBe(204);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(401);
  });
});

describe("logins", () => {
  test("answers token, expiry and user, and sets the cookie", async () => {
    const answer = await login("viewer");
    expect(answer.status).toBe(200);
    expect(answer.json.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(answer.json.expires_at).toBe(new Date(plane.clock.now() + 24 * 3_600_000).toISOString());
    expect(answer.json.user).toEqual({
      id: plane.users["viewer"],
      username: "viewer",
      instance_role: "member",
      email: "viewer@example.com",
    });
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toContain(`picloud_session=${answer.json.token}; Path=/; HttpOnly; SameSite=Lax`);
    expect(cookie).not.toContain("Secure");
    expect((await withToken(answer.json.token, "GET", "/auth/me")).json.username).toBe("viewer");
  });

  test("only the hash of a token is stored", async () => {
    const { json } = await login("viewer");
    const rows = await plane.db`select encode(token_sha256, 'hex') as hash from sessions`;
    const hash = new Bun.CryptoHasher("sha256").update(json.token).digest("hex");
    expect(rows.map((row) => row["hash"])).toContain(hash);
  });

  test("the cookie is Secure behind TLS, as a trusted proxy tells, and nobody else", async () => {
    const through = (address: string) =>
      plane.call("guest", "POST", "/auth/login", {
        body: { username: "viewer", password: PASSWORD },
        address,
        headers: { "x-forwarded-proto": "https", "x-forwarded-for": "10.7.0.1" },
      });
    expect((await through("127.0.0.1")).headers.get("set-cookie")).toContain("; Secure");
    expect((await through("::ffff:127.0.0.1")).headers.get("set-cookie")).toContain("; Secure");
    expect((await through("10.7.0.2")).headers.get("set-cookie")).not.toContain("; Secure");
  });

  test("logging out ends the session, and may be repeated", async () => {
    const { json } = await login("viewer");
    const out = () => withToken(json.token, "POST", "/auth/logout");
    const first = await out();
    expect(first.status).toBe(204);
    expect(first.headers.get("set-cookie")).toContain("Max-Age=0");
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(401);
    expect((await out()).status).toBe(204);
    expect((await plane.call("guest", "POST", "/auth/logout")).status).toBe(204);
  });

  test("no other site's page logs anybody out", async () => {
    const { json } = await login("viewer");
    const out = (headers: Record<string, string>) =>
      plane.call("guest", "POST", "/auth/logout", {
        headers: { cookie: `picloud_session=${json.token}`, ...headers },
      });
    expectProblem(await out({ "sec-fetch-site": "cross-site" }), "cross_origin");
    expectProblem(await out({ origin: "http://evil.example" }), "cross_origin");
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(200);
    expect((await out({ "sec-fetch-site": "same-origin" })).status).toBe(204);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(401);
  });

  test("a session ends 24 hours after it was last used, and slides without a write per request", async () => {
    const { json } = await login("viewer");
    const expiry = async () => {
      const hash = new Bun.CryptoHasher("sha256").update(json.token).digest();
      const [row] = await plane.db`select expires_at from sessions where token_sha256 = ${hash}`;
      return Number(row?.["expires_at"]) - plane.clock.now();
    };
    const hour = 3_600_000;
    plane.clock.advance(0.5 * hour);
    await withToken(json.token, "GET", "/auth/me");
    expect(await expiry()).toBe(23.5 * hour);
    plane.clock.advance(20 * hour);
    await withToken(json.token, "GET", "/auth/me");
    expect(await expiry()).toBe(24 * hour);
    plane.clock.advance(23 * hour);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(200);
    plane.clock.advance(25 * hour);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(401);
    // The next login sweeps out what has expired.
    await login("viewer");
    const [row] =
      await plane.db`select count(*) as n from sessions where expires_at < ${new Date(plane.clock.now())}`;
    expect(row?.["n"]).toBe(0);
  });

  test("changes by cookie need to come from our own pages", async () => {
    const { json } = await login("owner", PASSWORD, "10.2.0.9");
    const change = (headers: Record<string, string>) =>
      plane.call("guest", "PATCH", "/apps/blog", {
        body: { name: "Blog" },
        headers: { cookie: `other=1; picloud_session=${json.token}`, ...headers },
      });
    expect((await change({ "sec-fetch-site": "same-origin" })).status).toBe(200);
    expect((await change({ host: "pi:8080", origin: "http://pi:8080" })).status).toBe(200);
    expectProblem(await change({}), "cross_origin");
    expectProblem(await change({ origin: "http://evil.example" }), "cross_origin");
    expectProblem(await change({ "sec-fetch-site": "cross-site", origin: "http://pi:8080" }), "cross_origin");
    expectProblem(await change({ "sec-fetch-site": "same-site" }), "cross_origin");
    const read = await plane.call("guest", "GET", "/apps", {
      headers: { cookie: `picloud_session=${json.token}`, "sec-fetch-site": "cross-site" },
    });
    expect(read.status).toBe(200);
    const bearer = await plane.call("guest", "PATCH", "/apps/blog", {
      body: { name: "Blog" },
      headers: { authorization: `Bearer ${json.token}`, origin: "http://elsewhere.example" },
    });
    expect(bearer.status).toBe(200);
  });

  test("Basic credentials that a browser sends for another site are refused", async () => {
    const change = (headers: Record<string, string>) =>
      plane.call("guest", "PATCH", "/apps/blog", {
        body: { name: "Blog" },
        address: "10.2.0.8",
        headers: { authorization: `Basic ${btoa(`owner:${PASSWORD}`)}`, ...headers },
      });
    expect((await change({})).status).toBe(200);
    expectProblem(await change({ "sec-fetch-site": "cross-site" }), "cross_origin");
  });

  test("only navigations are asked for Basic credentials by the browser's own window", async () => {
    const challenge = async (headers: Record<string, string>) =>
      (await plane.call("guest", "GET", "/apps", { headers })).headers.get("www-authenticate");
    expect(await challenge({})).toContain("Basic");
    expect(await challenge({ "sec-fetch-mode": "cors" })).toBe("Bearer");
  });

  test("malformed credentials are 401", async () => {
    for (const authorization of [
      "Basic !!!",
      "Basic bm9jb2xvbg==",
      "Bearer x",
      "Digest a=b",
      "Bearer pic_ABC",
      "x",
    ]) {
      const answer = await plane.call("guest", "GET", "/auth/me", { headers: { authorization } });
      expect([authorization, answer.status]).toEqual([authorization, 401]);
    }
  });
});

describe("at the same time", () => {
  /** Holds everybody's rows, so that what is asked meanwhile stands before its last step. */
  async function whileHeld<T>(
    ask: () => Promise<T>,
    change: (sql: Transaction) => Promise<unknown>,
  ): Promise<T> {
    let answer: Promise<T> | undefined;
    await plane.db.begin(async (sql) => {
      await sql`select 1 from users for update`;
      answer = ask();
      // Long enough for a password hash; then it waits for us.
      for (let tries = 0; tries < 200; tries++) {
        const [waiting] = await plane.db`select 1 from pg_stat_activity where wait_event_type = 'Lock'
          and datname = current_database()`;
        if (waiting !== undefined) break;
        await Bun.sleep(10);
      }
      await change(sql);
    });
    if (answer === undefined) throw new Error("nothing was asked");
    return answer;
  }

  test("a login that was under way when the password changed opens no session", async () => {
    const me = await person();
    const { password_hash: other } = (
      await plane.db`select password_hash from users where username = 'viewer'`
    )[0] as { password_hash: string };
    const answer = await whileHeld(
      () => login(me.username),
      (sql) => sql`update users set password_hash = ${`${other} `} where id = ${me.id}`,
    );
    expect(answer.status).toBe(401);
    expect((await plane.db`select 1 from sessions where user_id = ${me.id}`).length).toBe(0);
  });

  test("a login or a new key of somebody who is being deactivated comes to nothing", async () => {
    const me = await person();
    const { json } = await login(me.username);
    const deactivate = (sql: Transaction) => sql`update users set is_active = false where id = ${me.id}`;
    const key = await whileHeld(
      () => withToken(json.token, "POST", "/api-keys", { name: "late", scopes: ["script:read"] }),
      deactivate,
    );
    expect(key.status).toBe(401);
    expect((await plane.db`select 1 from api_keys where user_id = ${me.id}`).length).toBe(0);
  });

  test("an owner who is demoted while making another one does not", async () => {
    const one = await person("owner");
    const { json } = await login(one.username);
    const body = { username: "heir", password: PASSWORD, instance_role: "owner" };
    const answer = await whileHeld(
      () => withToken(json.token, "POST", "/admins", body),
      (sql) => sql`update users set instance_role = 'admin' where id = ${one.id}`,
    );
    expectProblem(answer, "escalation");
    await plane.db`delete from users where id = ${one.id}`;
  });

  test("an owner who is demoted while demoting somebody else does not", async () => {
    const [one, two] = [await person("owner"), await person("owner")];
    const { json } = await login(one.username);
    const answer = await whileHeld(
      () => withToken(json.token, "PATCH", `/admins/${two.id}`, { instance_role: "admin" }),
      (sql) => sql`update users set instance_role = 'admin' where id = ${one.id}`,
    );
    expectProblem(answer, "escalation");
    await plane.db`delete from users where id in (${one.id}, ${two.id})`;
  });
});

describe("throttling", () => {
  test("after five failures even the right password has to wait, and the wait ends", async () => {
    const me = await person();
    for (let attempt = 0; attempt < 5; attempt++) {
      expect((await login(me.username, `wrong ${attempt}`, "10.4.0.1")).status).toBe(401);
    }
    const refused = await login(me.username, PASSWORD, "10.4.0.1");
    expect(refused.status).toBe(429);
    expectProblem(refused, "too_many_requests");
    expect(Number(refused.headers.get("retry-after"))).toBe(300);
    expect((await basic(me.username, PASSWORD, "10.4.0.1")).status).toBe(429);
    // From elsewhere, and as somebody else, nothing is in the way.
    expect((await login(me.username, PASSWORD, "10.4.0.2")).status).toBe(200);
    expect((await login("viewer", PASSWORD, "10.4.0.1")).status).toBe(200);
    plane.clock.advance(5 * 60_000 + 1);
    expect((await login(me.username, PASSWORD, "10.4.0.1")).status).toBe(200);
  });

  test("a remembered Basic credential and a bearer token keep working meanwhile", async () => {
    const me = await person();
    expect((await basic(me.username, PASSWORD, "10.5.0.1")).status).toBe(200);
    const { json } = await login(me.username, PASSWORD, "10.5.0.1");
    for (let attempt = 0; attempt < 6; attempt++) await basic(me.username, `wrong ${attempt}`, "10.5.0.1");
    expect((await login(me.username, PASSWORD, "10.5.0.1")).status).toBe(429);
    expect((await basic(me.username, PASSWORD, "10.5.0.1")).status).toBe(200);
    expect((await withToken(json.token, "GET", "/auth/me")).status).toBe(200);
  });

  test("a burst of guesses gets no further than five", async () => {
    const me = await person();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => login(me.username, `guess ${n}`, "10.6.0.1")),
    );
    const statuses = answers.map((answer) => answer.status);
    expect(statuses.filter((status) => status === 401).length).toBe(5);
    expect(statuses.filter((status) => status === 429).length).toBe(15);
  });

  test("unknown users are throttled and answered like known ones", async () => {
    const strip = (text: string) => text.replace(/"request_id":"[^"]*"/, "");
    const unknown = await login("nobody at all", "x", "10.6.0.2");
    const known = await login("viewer", "x", "10.6.0.2");
    expect(strip(unknown.text)).toBe(strip(known.text));
    for (let attempt = 0; attempt < 4; attempt++) await login("nobody at all", "x", "10.6.0.2");
    expect((await login("nobody at all", "x", "10.6.0.2")).status).toBe(429);
  });

  test("many clients that start at once with one right credential all get in, for one password hash", async () => {
    const me = await person();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => basic(me.username, PASSWORD, "10.6.0.3")),
    );
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([200]));
  });
});
