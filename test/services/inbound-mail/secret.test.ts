import { afterAll, beforeAll, expect, test } from "bun:test";
import { findMailbox, sealInboundSecret, secretOf } from "../../../src/services/inbound-mail/index.ts";
import { checkKeys, createKeyring, rotateKeys, type Keyring } from "../../../src/services/secrets/index.ts";
import { newId } from "../../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

const bytes = (value: number): Uint8Array => new Uint8Array(32).fill(value);
const before = createKeyring(bytes(1));
const changed = createKeyring(bytes(2), [bytes(1)]);
const after = createKeyring(bytes(2));

let database: TestDatabase;
let appId = "";
let id = "";
beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  appId = await seed(db).app("app");
  const script = await seed(db).script(appId, "s", "1");
  id = newId();
  const details = await sealInboundSecret(db, before, { appId, id }, "the secret");
  await db`
    insert into triggers (app_id, id, script_id, kind, details, retry_max_attempts, retry_backoff, retry_base_ms)
    values (${appId}, ${id}, ${script}, 'email', ${db.json({ ...details } as never)}, 1, 'constant', 1)`;
}, 60_000);
afterAll(() => database.drop());

async function opened(keyring: Keyring): Promise<string | null> {
  const mailbox = await findMailbox(database.db, appId, id);
  if (mailbox === undefined) throw new Error("the trigger is gone");
  return secretOf(keyring, mailbox);
}

test("the secret of a trigger is kept sealed, with the key of its app", async () => {
  const [row] = await database.db<{ details: object }[]>`select details from triggers`;
  expect(JSON.stringify(row)).not.toContain(Buffer.from("the secret").toString("base64"));
  expect(await opened(before)).toBe("the secret");
});

test("a new key of the server seals it anew; without the old one a start is refused until then", async () => {
  await expect(checkKeys(database.db, after)).rejects.toMatchObject({ code: "secret_key_missing" });
  await expect(opened(after)).rejects.toMatchObject({ code: "secret_key_missing" });
  expect(await opened(changed)).toBe("the secret");
  expect(await rotateKeys(database.db, changed)).toBe(1);
  await checkKeys(database.db, after);
  expect(await opened(after)).toBe("the secret");
});
