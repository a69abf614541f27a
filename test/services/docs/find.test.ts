import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Database } from "../../../src/database/client.ts";
import { fromHost, RhaiMap } from "../../../src/rhai/index.ts";
import {
  afterOf,
  countDocs,
  cursorOf,
  findDocs,
  finishIndexes,
  IndexCache,
  readFilter,
  requestIndex,
  type After,
} from "../../../src/services/docs/index.ts";
import { testDatabase, type TestDatabase } from "../../support/postgres.ts";
import { seed } from "../seed.ts";

setDefaultTimeout(60_000);

/** More than an index is used for whatever the order, so that every way to find documents is taken. */
const DOCUMENTS = 6000;
const FIELDS = ["n", "kind", "mixed", "late"];

let database: TestDatabase;
let impatient: Database;
let appId: string;
const finding = { indexes: new IndexCache(), matchPattern: () => false };

beforeAll(async () => {
  database = await testDatabase();
  const { db } = database;
  impatient = connect(database.target, { max: 1, applicationName: "picloud-test-impatient" });
  appId = await seed(db).app("found");
  await db`
    insert into docs (app_id, collection, id, data)
    select ${appId}, c, ('00000000-0000-7000-8000-' || lpad(i::text, 12, '0'))::uuid, jsonb_build_object(
      'n', (i * 7919) % ${DOCUMENTS}::int, 'kind', case when i % 2 = 0 then 'even' else 'odd-' || i % 7 end, 'late', i / 2,
      'other', (i * 31) % 977, 'mixed', case i % 8
        when 0 then to_jsonb(i) when 1 then to_jsonb('s' || i) when 2 then to_jsonb(i % 16 = 2) when 3 then 'null'
        when 4 then to_jsonb(-i / 3.0) when 5 then to_jsonb(array[i]) when 6 then jsonb_build_object('a', i)
        else '""' end) - case when i % 80 = 3 then 'mixed' else '' end
    from generate_series(1, ${DOCUMENTS}::int) i, unnest(array['plain', 'indexed']) c`;
  for (const field of FIELDS) await requestIndex(db, { appId, collection: "indexed" }, [field], false);
  await finishIndexes(db);
});
afterAll(async () => {
  await impatient.end();
  await database.drop();
});

const FILTERS: readonly Readonly<Record<string, unknown>>[] = [
  { n: 17 },
  { kind: "even" },
  { kind: "odd-3", $sort: { kind: -1 } },
  { kind: { $in: ["even", "odd-3", "even", "nothing"] } },
  { kind: { $in: ["even", "odd-3"] }, other: { $lt: 40 } },
  { kind: { $in: ["even", "odd-3"] }, other: 5 },
  { kind: { $in: ["even", "odd-3"] }, $sort: { kind: -1 } },
  { kind: "even", other: 5 },
  { n: { $gte: 3000 } },
  { n: { $gte: 3000, $lt: 3020 } },
  { n: { $gte: 10 }, other: 5 },
  // None of them among the first.
  { late: { $gt: 1900 } },
  { late: { $gt: 1900 }, $sort: { n: -1 } },
  { kind: "even", $sort: { n: 1 } },
  { kind: "even", $sort: { n: -1 } },
  { kind: "odd-3", $sort: { n: -1 } },
  { kind: "even", $sort: { n: -1, other: 1 } },
  { kind: "even", $sort: { other: -1 } },
  { kind: "even", other: 5, $sort: { late: -1 } },
  { $sort: { kind: 1 } },
  { $sort: { kind: -1 } },
  { $sort: { kind: -1, other: 1 } },
  { $sort: { late: 1, n: -1 } },
  { $sort: { mixed: 1 } },
  { $sort: { mixed: -1 } },
  { mixed: { $lt: 5 } },
  { mixed: { $lte: 4000 }, $sort: { mixed: 1 } },
  { mixed: { $gt: 100 }, $sort: { mixed: -1 } },
  { mixed: { $gt: "s2" } },
  { mixed: { $gte: "" }, $sort: { mixed: -1 } },
  { mixed: { $lt: "s2" } },
  { mixed: { $gt: false } },
  { mixed: { $lte: true } },
  { mixed: null },
  { mixed: { $in: [null, true, 8] } },
  { mixed: { $ne: null }, $sort: { n: 1 } },
  { $or: [{ n: 5 }, { kind: "odd-1" }] },
  { kind: { $ne: "even" } },
];

describe("with indexes the same is found in the same order, page by page", () => {
  for (const filter of FILTERS) {
    test(JSON.stringify(filter), async () => {
      for (const limit of [1, 37, 700]) {
        expect(await pages("indexed", filter, limit, 3)).toEqual(await pages("plain", filter, limit, 3));
      }
      expect(await count("indexed", filter)).toBe(await count("plain", filter));
    });
  }
});

describe("a query that takes too long names the index to create", () => {
  const names: readonly (readonly [Readonly<Record<string, unknown>>, string | null])[] = [
    [{ other: 1 }, "other"],
    [{ "deep.in": { $gt: 1 }, $sort: { n: 1 } }, "deep.in"],
    [{ other: { $gt: 1 }, text: "a" }, "text"],
    [{ $sort: { other: 1 } }, "other"],
    [{ kind: "even", other: 1 }, "other"],
    [{ kind: "even", $sort: { other: 1 } }, null],
    [{ n: 1 }, null],
    [{ other: { $ne: 1 } }, null],
    [{ $or: [{ n: 1 }, { other: 1 }] }, null],
  ];
  for (const [filter, name] of names) {
    test(`${JSON.stringify(filter)}: ${name}`, async () => {
      const help =
        name === null
          ? "Ask for less: narrow the filter by an indexed field."
          : `No index is on "${name}": create one with create_index("${name}").`;
      const place = { appId, collection: "indexed" };
      // It is the server that ends it: here, when it waits for a lock.
      await database.db.begin(async (holder) => {
        await holder`lock table docs, doc_index_entries in access exclusive mode`;
        await impatient`set statement_timeout = 50`;
        const asked = findDocs(impatient, place, read(filter), { limit: 1, after: null }, finding);
        expect(await asked.then(() => "found", String)).toEndWith(`the query took too long. ${help}`);
      });
    });
  }
});

const read = (filter: unknown) => {
  const given = fromHost(filter as Parameters<typeof fromHost>[0]);
  if (!(given instanceof RhaiMap)) throw new TypeError("a filter is a map");
  return readFilter(given);
};

/** The ids of some pages, each with the cursor that leads to the next one. */
async function pages(
  collection: string,
  filter: Readonly<Record<string, unknown>>,
  limit: number,
  number: number,
): Promise<unknown[]> {
  const found: unknown[] = [];
  let after: After | null = null;
  for (let page = 0; page < number; page++) {
    const query = read(filter);
    const docs = await findDocs(database.db, { appId, collection }, query, { limit, after }, finding);
    const last = docs.at(-1);
    if (last === undefined) break;
    const $cursor = cursorOf(query, last);
    found.push(
      docs.map(({ id, data }) => [id, data]),
      $cursor,
    );
    after = afterOf(read({ ...filter, $cursor }));
  }
  return found;
}

const count = (collection: string, { $sort: _, ...filter }: Readonly<Record<string, unknown>>) =>
  countDocs(database.db, { appId, collection }, read(filter), finding);
