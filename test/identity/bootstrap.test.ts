import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { connect } from "../../src/database/client.ts";
import { bootstrap } from "../../src/services/identity/index.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
}, 60_000);
afterAll(() => database?.drop(), 60_000);
beforeEach(async () => {
  await database.db`delete from users`;
});

const users = () => database.db`select username, instance_role, is_active, password_hash from users`;

test("makes the configured owner, whose password is not shown", async () => {
  expect(await bootstrap(database.db, { username: "ada", password: "lovelace" })).toBeNull();
  const [owner, ...others] = await users();
  expect(others).toEqual([]);
  expect(owner).toMatchObject({ username: "ada", instance_role: "owner", is_active: true });
  expect(await Bun.password.verify("lovelace", String(owner?.["password_hash"]))).toBe(true);
});

test("makes an owner admin with a random password, which is shown once", async () => {
  const login = await bootstrap(database.db, null);
  expect(login?.username).toBe("admin");
  expect(login?.password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/);
  const [owner] = await users();
  expect(await Bun.password.verify(login?.password ?? "", String(owner?.["password_hash"]))).toBe(true);
  expect(await bootstrap(database.db, null)).toBeNull();
});

test("the password is as random as its source", async () => {
  const login = await bootstrap(database.db, null, undefined, (length) =>
    new Uint8Array(length).map((_, index) => index),
  );
  expect(login?.password).toBe("abcde-fghjk-mnpqr-stuvw");
});

test("a login that could not be kept makes no owner", async () => {
  const kept = bootstrap(database.db, null, () => {
    throw new Error("disk full");
  });
  expect(await kept.then(String, String)).toContain("disk full");
  expect((await users()).length).toBe(0);
});

test("does nothing once there is a user, active or not", async () => {
  await bootstrap(database.db, { username: "ada", password: "lovelace" });
  await database.db`update users set is_active = false`;
  expect(await bootstrap(database.db, { username: "eve", password: "whatever" })).toBeNull();
  expect((await users()).map((user) => user["username"])).toEqual(["ada"]);
});

test("of processes that start at once, one makes the owner and knows the password", async () => {
  const pools = [1, 2, 3].map(() => connect(database.target, { max: 1, applicationName: "starter" }));
  const logins = await Promise.all(pools.map((db) => bootstrap(db, null)));
  await Promise.all(pools.map((db) => db.end()));
  const shown = logins.filter((login) => login !== null);
  expect(shown.length).toBe(1);
  const all = await users();
  expect(all.length).toBe(1);
  expect(await Bun.password.verify(shown[0]?.password ?? "", String(all[0]?.["password_hash"]))).toBe(true);
});
