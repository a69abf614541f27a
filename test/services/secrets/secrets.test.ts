import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import {
  checkKeys,
  createKeyring,
  listSecrets,
  readSecret,
  removeSecret,
  rotateKeys,
  rotationState,
  writeSecret,
  type Keyring,
} from "../../../src/services/secrets/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
}, 60_000);
afterAll(() => database.drop());

const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const keyring = createKeyring(bytes(1));

let app = "";
beforeEach(async () => {
  await database.db`delete from apps`;
  app = await newApp();
});

async function newApp(): Promise<string> {
  const id = newId();
  await database.db`insert into apps (id, slug, name) values (${id}, ${`a${id}`}, 'A')`;
  return id;
}

const set = (appId: string, name: string, value: unknown, keys: Keyring = keyring) =>
  database.db.begin((sql) =>
    writeSecret(sql, keys, { appId, name, json: JSON.stringify(value), maxBytes: 65_536 }),
  );
const get = (appId: string, name: string, keys: Keyring = keyring) =>
  readSecret(database.db, keys, appId, name);

describe("secrets", () => {
  test("come back with the type that they had, and are changed in place", async () => {
    for (const value of ["text", "", { a: [1, null], b: "ü" }, [1.5, true]]) {
      await set(app, "S", value);
      expect(JSON.parse((await get(app, "S")) ?? "")).toEqual(value);
    }
    expect(await listSecrets(database.db, app)).toEqual([
      { name: "S", updated_at: expect.stringMatching(/^\d{4}-.*Z$/) },
    ]);
    expect(await removeSecret(database.db, app, "S")).toBe(true);
    expect(await removeSecret(database.db, app, "S")).toBe(false);
    expect(await get(app, "S")).toBeNull();
  });

  test("nothing of a value is in the database, and the same value looks different each time", async () => {
    await set(app, "A", "a value to look for");
    await set(app, "B", "a value to look for");
    const rows = await database.db<
      { ciphertext: Uint8Array; nonce: Uint8Array }[]
    >`select nonce, ciphertext from secrets`;
    const [first, second] = rows.map(({ ciphertext }) => Buffer.from(ciphertext));
    expect(first?.includes("value")).toBe(false);
    expect(first?.equals(second ?? Buffer.alloc(0))).toBe(false);
    for (const { nonce, ciphertext } of rows) {
      expect(nonce.length).toBe(12);
      expect(ciphertext.length).toBe(JSON.stringify("a value to look for").length + 16);
    }
  });

  test("a row that is moved to another app, renamed or changed does not open", async () => {
    const other = await newApp();
    await set(app, "MINE", "mine");
    await set(other, "THEIRS", "theirs");
    await database.db`insert into secrets select ${other}::uuid, name, nonce, ciphertext from secrets where name = 'MINE'`;
    await expect(get(other, "MINE")).rejects.toMatchObject({ code: "secret_unreadable" });
    // Not even together with the key of the app that it came from.
    await database.db`update app_keys set (nonce, ciphertext) = (select nonce, ciphertext from app_keys where app_id = ${app})
      where app_id = ${other}`;
    await expect(get(other, "MINE")).rejects.toMatchObject({ code: "secret_unreadable" });
    await database.db`insert into secrets select app_id, 'OTHER', nonce, ciphertext from secrets where app_id = ${app}`;
    await expect(get(app, "OTHER")).rejects.toMatchObject({ code: "secret_unreadable" });
    await database.db`update secrets set ciphertext = set_byte(ciphertext, 0, get_byte(ciphertext, 0) # 1) where app_id = ${app}`;
    await expect(get(app, "MINE")).rejects.toMatchObject({ code: "secret_unreadable" });
  });

  test("two that are set at once in a new app are sealed by the same key", async () => {
    await Promise.all(["A", "B", "C", "D"].map((name) => set(app, name, name)));
    expect(await Promise.all(["A", "B", "C", "D"].map((name) => get(app, name)))).toEqual([
      '"A"',
      '"B"',
      '"C"',
      '"D"',
    ]);
  });

  test("names and sizes have limits", async () => {
    for (const name of ["", "1a", "a b", "a/b", "ä", `a${"b".repeat(128)}`]) {
      await expect(set(app, name, "x")).rejects.toMatchObject({ status: 422, code: "invalid_secret_name" });
      expect(await get(app, name)).toBeNull();
    }
    await set(app, `_${"b".repeat(127)}`, "x");
    await set(app, "LARGEST", "é".repeat(32_768));
    await expect(set(app, "LARGER", `${"é".repeat(32_768)}x`)).rejects.toMatchObject({
      code: "secret_too_large",
    });
    await expect(set(app, "LARGER", ["x".repeat(65_533)])).rejects.toMatchObject({
      code: "secret_too_large",
    });
  });

  test("they go with their app, and cannot be set in one that is gone", async () => {
    await set(app, "A", "x");
    await database.db`delete from apps where id = ${app}`;
    expect(await database.db`select 1 from secrets union all select 1 from app_keys`).toHaveLength(0);
    await expect(set(app, "A", "x")).rejects.toMatchObject({ status: 404 });
  });
});

describe("keys of the server", () => {
  const before = createKeyring(bytes(1));
  const changed = createKeyring(bytes(2), [bytes(1)]);
  const after = createKeyring(bytes(2));

  test("what an old key sealed opens as long as that is known", async () => {
    await set(app, "A", "x", before);
    expect(await get(app, "A", changed)).toBe('"x"');
    await expect(get(app, "A", after)).rejects.toMatchObject({ code: "secret_key_missing" });
  });

  test("a start without a key that is needed is refused, and says what to do", async () => {
    await set(app, "A", "x", before);
    await checkKeys(database.db, changed);
    const refused = checkKeys(database.db, after);
    await expect(refused).rejects.toMatchObject({ code: "secret_key_missing" });
    await expect(refused).rejects.toThrow(
      new RegExp(
        `^The secrets of 1 app are sealed with a key that is not here \\(key id ${before.current.id}; here: ${after.current.id}\\)\\..*PICLOUD_SECRET_KEYS_OLD`,
      ),
    );
  });

  test("rotation touches one row an app, in batches that can be interrupted", async () => {
    const apps = await Promise.all(Array.from({ length: 230 }, newApp));
    for (const id of apps) await set(id, "A", id, before);
    const sealed = await database.db`select nonce, ciphertext from secrets order by app_id`;
    const seen: number[] = [];
    const interrupted = rotateKeys(database.db, changed, ({ left }) => {
      seen.push(left);
      throw new Error("the power fails");
    });
    await expect(interrupted).rejects.toThrow("the power fails");
    await interrupted.catch(() => {});
    expect(await rotationState(database.db, changed)).toEqual({ done: 100, left: 130 });
    // In between everything can be read.
    expect(await get(apps[0] ?? "", "A", changed)).toBe(JSON.stringify(apps[0]));
    expect(await get(apps[229] ?? "", "A", changed)).toBe(JSON.stringify(apps[229]));
    expect(await rotateKeys(database.db, changed, ({ left }) => void seen.push(left))).toBe(130);
    expect(seen).toEqual([130, 30, 0]);
    expect(await rotateKeys(database.db, changed)).toBe(0);
    await checkKeys(database.db, after);
    for (const id of apps) expect(await get(id, "A", after)).toBe(JSON.stringify(id));
    expect(await database.db`select nonce, ciphertext from secrets order by app_id`).toEqual(sealed);
  });

  test("rotation without the old key changes nothing", async () => {
    await set(app, "A", "x", before);
    await expect(rotateKeys(database.db, after)).rejects.toMatchObject({ code: "secret_key_missing" });
    expect(await get(app, "A", before)).toBe('"x"');
  });

  test("a key's id tells nothing about it, and differs from key to key", () => {
    expect(before.current.id).toMatch(/^[0-9a-f]{16}$/);
    expect(before.current.id).not.toBe(after.current.id);
    expect(changed.old[0]?.id).toBe(before.current.id);
    expect(Buffer.from(before.current.key).equals(bytes(1))).toBe(false);
  });
});
