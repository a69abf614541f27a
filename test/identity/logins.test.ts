import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { createIdentity, hashPassword, type Identity } from "../../src/services/identity/index.ts";
import { TestClock } from "../manager/support/control-plane.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
let identity: Identity;
const clock = new TestClock();
beforeAll(async () => {
  database = await testDatabase();
  identity = createIdentity({
    db: database.db,
    clock,
    secretKey: new Uint8Array(32).fill(1),
    sessionTtlHours: 24,
    trustedProxies: [],
  });
  await database.db`insert into users (id, username, password_hash, instance_role)
    values (${Bun.randomUUIDv7()}, 'Ada', ${await hashPassword("påsswörd:with:colons")}, 'owner')`;
}, 60_000);
afterAll(() => database?.drop(), 60_000);

const basic = (username: string, password: string) =>
  new Headers({ authorization: `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}` });
const right = () => basic("ada", "påsswörd:with:colons");

describe("Basic credentials", () => {
  test("are UTF-8, and the password may hold colons", async () => {
    expect((await identity.authenticate(right(), "a"))?.principal.username).toBe("Ada");
  });

  test("cost one password hash, then none for some minutes, then one again", async () => {
    const verify = spyOn(Bun.password, "verify");
    await identity.authenticate(right(), "b");
    const before = verify.mock.calls.length;
    for (let n = 0; n < 20; n++) await identity.authenticate(right(), "b");
    expect(verify.mock.calls.length).toBe(before);
    clock.advance(5 * 60_000 + 1);
    await identity.authenticate(right(), "b");
    expect(verify.mock.calls.length).toBe(before + 1);
    verify.mockRestore();
  });

  test("that are used by many at once cost one hash", async () => {
    clock.advance(5 * 60_000 + 1);
    const verify = spyOn(Bun.password, "verify");
    await Promise.all(Array.from({ length: 30 }, () => identity.authenticate(right(), "c")));
    expect(verify.mock.calls.length).toBe(1);
    verify.mockRestore();
  });

  test("of an unknown user cost as much as those of a known one", async () => {
    const verify = spyOn(Bun.password, "verify");
    await identity.authenticate(basic("nobody", "x"), "d").catch(() => {});
    await identity.authenticate(basic("ada", ""), "d").catch(() => {});
    expect(verify.mock.calls.length).toBe(2);
    for (const [, hash] of verify.mock.calls) expect(String(hash)).toContain("argon2id$v=19$m=19456,t=2,p=1");
    verify.mockRestore();
  });
});

describe("the data plane", () => {
  test("takes a missing or wrong credential for an anonymous caller", async () => {
    expect(await identity.principalOf(new Headers(), "e")).toBeNull();
    expect(await identity.principalOf(new Headers({ authorization: "Bearer nonsense" }), "e")).toBeNull();
    expect(await identity.principalOf(new Headers({ cookie: "picloud_session=x" }), "e")).toBeNull();
  });

  test("looks at Basic credentials only where it is told to", async () => {
    expect(await identity.principalOf(right(), "e")).toBeNull();
    expect((await identity.principalOf(right(), "e", { basic: true }))?.username).toBe("Ada");
    expect(await identity.principalOf(basic("ada", "wrong"), "e", { basic: true })).toBeNull();
  });

  test("knows the owner of a session", async () => {
    const { token } = await identity.login({ username: "ADA", password: "påsswörd:with:colons" }, "e");
    const bearer = new Headers({ authorization: `bearer ${token}` });
    expect((await identity.principalOf(bearer, "e"))?.username).toBe("Ada");
    const cookie = new Headers({ cookie: `a=b; picloud_session=${token}; c=d` });
    expect((await identity.principalOf(cookie, "e"))?.instanceRole).toBe("owner");
  });
});
