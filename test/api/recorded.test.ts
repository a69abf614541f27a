import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  PASSWORD,
  startControlPlane,
  type Actor,
  type ControlPlane,
} from "../manager/support/control-plane.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

interface Entry {
  readonly action: string;
  readonly actor_name: string;
  readonly app_id: string | null;
  readonly target_name: string;
  readonly changed: readonly string[];
}

/** What was written down since the last call; everything that was asked for belongs to one request. */
let seen = 0;
async function recorded(): Promise<Entry[]> {
  const rows = await plane.db<Entry[]>`
    select action, actor_name, app_id, target_name, changed from audit_log order by created_at, id offset ${seen}`;
  seen += rows.length;
  return [...rows];
}
const call = async (actor: Actor, method: string, path: string, body?: unknown) => {
  await plane.call(actor, "GET", "/auth/me");
  await recorded();
  return plane.call(actor, method, path, { body });
};

const entry = (
  action: string,
  app: string | null,
  target: string,
  changed: string[] = [],
  actor = "owner",
) => ({
  action,
  actor_name: actor,
  app_id: app,
  target_name: target,
  changed,
});

test("what is done to users is written down, and no password with it", async () => {
  const made = await call("owner", "POST", "/admins", {
    username: "ada",
    password: PASSWORD,
    instance_role: "member",
  });
  expect(await recorded()).toEqual([entry("user.create", null, "ada")]);
  const path = `/admins/${made.json.id}`;
  await call("admin", "PATCH", path, {
    email: "ada@example.com",
    password: "another password",
    is_active: false,
  });
  expect(await recorded()).toEqual([
    entry("user.update", null, "ada", ["email", "is_active", "password"], "admin"),
  ]);
  await call("owner", "DELETE", path);
  expect(await recorded()).toEqual([entry("user.delete", null, "ada")]);
  const [row] = await plane.db`select string_agg(audit_log::text, ' ') as everything from audit_log`;
  expect(row?.["everything"]).not.toMatch(/argon2|another password/);
});

test("what is done to apps, their members and domains is written down", async () => {
  const app = (await call("owner", "POST", "/apps", { slug: "shop", name: "Shop" })).json.id;
  expect(await recorded()).toEqual([entry("app.create", app, "shop")]);
  await call("owner", "PATCH", "/apps/shop", { slug: "store", description: "Things" });
  expect(await recorded()).toEqual([entry("app.update", app, "store", ["description", "slug"])]);
  const user = plane.users["outsider"] ?? "";
  await call("owner", "POST", "/apps/store/members", { user_id: user, role: "viewer" });
  expect(await recorded()).toEqual([entry("member.add", app, "outsider")]);
  await call("owner", "PATCH", `/apps/store/members/${user}`, { role: "editor" });
  expect(await recorded()).toEqual([entry("member.update", app, "outsider", ["role"])]);
  await call("owner", "DELETE", `/apps/store/members/${user}`);
  expect(await recorded()).toEqual([entry("member.remove", app, "outsider")]);
  const domain = await call("owner", "POST", "/apps/store/domains", { pattern: "shop.example.com" });
  expect(await recorded()).toEqual([entry("domain.add", app, "shop.example.com")]);
  await call("owner", "DELETE", `/apps/store/domains/${domain.json.id}`);
  expect(await recorded()).toEqual([entry("domain.remove", app, "shop.example.com")]);
  await call("owner", "DELETE", "/apps/store");
  expect(await recorded()).toEqual([entry("app.delete", app, "store")]);
});

test("keys are written down when made and revoked, and named where they are used", async () => {
  const { json } = await call("viewer", "POST", "/api-keys", {
    name: "ci",
    scopes: ["script:read"],
    app_id: "blog",
  });
  expect(await recorded()).toEqual([entry("key.create", plane.blog, "ci", [], "viewer")]);
  await call("viewer", "DELETE", `/api-keys/${json.id}`);
  expect(await recorded()).toEqual([entry("key.revoke", plane.blog, "ci", [], "viewer")]);
  await call("boundKey", "PATCH", "/apps/blog", { description: "by key" });
  const [row] = await plane.db`
    select (select name from api_keys where id = key_id) as key, actor_name, address, request_id from audit_log
    order by created_at desc, id desc limit 1`;
  expect(row).toMatchObject({ key: "boundKey", actor_name: "owner", address: "10.0.0.1" });
});

test("an entry has the id of its request", async () => {
  const answer = await call("owner", "PATCH", "/apps/blog", { description: "of ours" });
  const [row] = await plane.db`select request_id from audit_log order by created_at desc, id desc limit 1`;
  expect(row?.["request_id"]).toBe(answer.headers.get("x-request-id"));
});

test("logins are written down where a session was opened or closed", async () => {
  await recorded();
  const body = { username: "viewer", password: PASSWORD };
  const { json } = await plane.call("guest", "POST", "/auth/login", { body });
  expect(await recorded()).toEqual([entry("auth.login", null, "viewer", [], "viewer")]);
  const out = () =>
    plane.call("guest", "POST", "/auth/logout", { headers: { authorization: `Bearer ${json.token}` } });
  await out();
  expect(await recorded()).toEqual([entry("auth.logout", null, "viewer", [], "viewer")]);
  await out();
  await plane.call("guest", "POST", "/auth/login", { body: { ...body, password: "wrong" } });
  expect(await recorded()).toEqual([]);
});

test("what was refused, and what changed nothing, is not written down", async () => {
  await call("owner", "POST", "/apps", { slug: "blog", name: "Again" });
  await call("viewer", "PATCH", "/apps/blog", { name: "x" });
  await call("owner", "DELETE", `/apps/blog/members/${plane.users["outsider"]}`);
  await call("owner", "DELETE", `/admins/${plane.users["owner"]}`);
  await call("owner", "POST", "/apps/blog/members", { user_id: plane.users["viewer"], role: "editor" });
  await call("viewer", "DELETE", `/api-keys/${Bun.randomUUIDv7()}`);
  expect(await recorded()).toEqual([]);
});
