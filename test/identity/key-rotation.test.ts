import { afterAll, beforeAll, expect, test } from "bun:test";
import { createIdentity, hashPassword } from "../../src/services/identity/index.ts";
import { checkKeys, createKeyring, rotateKeys, type Keyring } from "../../src/services/secrets/index.ts";
import { TestClock } from "../manager/support/control-plane.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
const userId = Bun.randomUUIDv7();
beforeAll(async () => {
  database = await testDatabase();
  await database.db`insert into users (id, username, password_hash, instance_role)
    values (${userId}, 'ada', ${await hashPassword("a password")}, 'owner')`;
}, 60_000);
afterAll(() => database?.drop(), 60_000);

const OLD = new Uint8Array(32).fill(1);
const NEW = new Uint8Array(32).fill(2);
/** A server that was just started. */
const server = (secretKey: Uint8Array, keyring: Keyring) =>
  createIdentity({
    db: database.db,
    clock: new TestClock(),
    secretKey,
    keyring,
    sessionTtlHours: 1,
    trustedProxies: [],
  });
const who = {
  userId,
  username: "ada",
  instanceRole: "owner",
  key: null,
  requestId: null,
  address: null,
} as const;
const wish = { name: "ci", scopes: ["script:read"], appId: null, expiresAt: null } as const;

test("API keys outlive a change of the server's secret key, used meanwhile or not", async () => {
  const before = createKeyring(OLD);
  const both = createKeyring(NEW, [OLD]);
  const after = createKeyring(NEW);
  const enter = async (keyring: Keyring, text: string) => {
    const headers = new Headers({ authorization: `Bearer ${text}` });
    return (await server(NEW, keyring).principalOf(headers, "here"))?.username;
  };
  // Before the first key there is nothing sealed, and nothing to be found.
  expect(await enter(before, `pic_${"A".repeat(52)}`)).toBeUndefined();
  await checkKeys(database.db, after);

  const made = await Promise.all(
    [server(OLD, before), server(OLD, before)].map(({ keys }) => keys.create(who, wish)),
  );
  for (const { text } of made) expect(await enter(before, text)).toBe("ada");
  const refused = checkKeys(database.db, after);
  expect(await refused.catch((error: Error) => error.message)).toStartWith(
    `What API keys are checked with is sealed with a key that is not here (key id ${before.current.id}; here: ${after.current.id}).`,
  );
  for (const { text } of made) {
    expect(await enter(both, text)).toBe("ada");
    expect(await enter(after, text)).toBeUndefined();
  }

  expect(await rotateKeys(database.db, both)).toBe(1);
  expect(await rotateKeys(database.db, both)).toBe(0);
  await checkKeys(database.db, after);
  for (const { text } of made) expect(await enter(after, text)).toBe("ada");
  for (const { text } of made) expect(await enter(before, text)).toBeUndefined();
});
