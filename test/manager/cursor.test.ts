import { afterAll, beforeAll, expect, test } from "bun:test";
import { after, createdUs } from "../../src/database/keyset.ts";
import { decodeCursor, encodeCursor, page, pageRequest } from "../../src/manager/http/cursor.ts";
import { AppError } from "../../src/shared/errors.ts";
import { newId } from "../../src/shared/ids.ts";
import { testDatabase, type TestDatabase } from "../support/postgres.ts";

let database: TestDatabase;
beforeAll(async () => void (database = await testDatabase()), 60_000);
afterAll(() => database.drop());

test("a cursor reads back as the position it was made of", () => {
  for (const moment of [0, 1, 1_790_000_000_123_456, 2_534_023_007_999_999]) {
    const position = { createdUs: moment, id: newId() };
    const cursor = encodeCursor(position);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]{32}$/);
    expect(decodeCursor(cursor)).toEqual(position);
  }
});

test("anything else is refused with 422", () => {
  const good = encodeCursor({ createdUs: 1_790_000_000_123_456, id: newId() });
  const bad = [
    "",
    "x",
    "null",
    good.slice(1),
    `${good}A`,
    `${good}=`,
    ` ${good}`,
    "A".repeat(31),
    "_".repeat(32),
  ];
  for (const cursor of [...bad, "2026-01-01T00:00:00Z,00000000-0000-7000-8000-000000000000"]) {
    try {
      pageRequest({ cursor });
      throw new Error(`${cursor} was accepted`);
    } catch (error) {
      expect(error).toBeInstanceOf(AppError);
      expect((error as AppError).status).toBe(422);
      expect((error as AppError).code).toBe("invalid_cursor");
    }
  }
});

test("pages meet exactly, even where rows differ by a microsecond or not at all", async () => {
  const { db } = database;
  const ids = Array.from({ length: 23 }, newId);
  for (const [index, id] of ids.entries()) {
    await db`insert into audit_log (id, created_at, actor_name, action, target_kind, target_id, target_name)
      values (${id}, timestamptz '2026-01-01' + ${Math.floor(index / 3)} * interval '1 microsecond', 'a', 'a', 'a', 'a', 'a')`;
  }
  const seen: string[] = [];
  for (let cursor: string | undefined; ;) {
    const wanted = pageRequest({ limit: 4, cursor });
    const rows = await db<{ id: string; created_us: number }[]>`
      select l.id, ${createdUs(db, "l")} from audit_log l
      where true ${wanted.after === null ? db`` : db`and ${after(db, "l", wanted.after)}`}
      order by l.created_at desc, l.id desc limit ${wanted.limit + 1}`;
    const { items, next_cursor } = page(rows, wanted.limit, (row) => row.id);
    seen.push(...items);
    if (next_cursor === null) break;
    cursor = next_cursor;
  }
  expect(seen).toEqual(ids.toReversed());
});
