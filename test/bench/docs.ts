import { existsSync, readFileSync } from "node:fs";
import { connect, type Database } from "../../src/database/client.ts";
import { fromHost, RhaiMap } from "../../src/rhai/index.ts";
import {
  afterOf,
  countDocs,
  cursorOf,
  findDocs,
  finishIndexes,
  IndexCache,
  insertDoc,
  readFilter,
  requestIndex,
  type After,
  type Finding,
} from "../../src/services/docs/index.ts";
import { AppError } from "../../src/shared/errors.ts";
import { newId } from "../../src/shared/ids.ts";
import { seed } from "../services/seed.ts";
import { testDatabase } from "../support/postgres.ts";
import { printTable, quantile } from "./support/table.ts";

const FLAG = "--docs=";
/** Documents; `npm run bench -- docs --docs 100000` measures with fewer. */
let docs = 1_000_000;
/** `--plans` prints how the server answers. */
let plansWanted = false;
const ROUNDS = 300;
const DEEP_ROUNDS = 50;
const GOAL_P95_MS = 5;
const INSERTS = 1000;
/** As in the executor. */
const STATEMENT_TIMEOUT_MS = 5000;

/** In which order queries are asked for matters to nobody: what is at random is so in the same way each time. */
let state = 1;
const random = (below: number): number => {
  state = (state * 48_271) % 2_147_483_647;
  return state % below;
};

/** Nine documents each. */
const groups = (): number => Math.ceil(docs / 9);

type Filter = Readonly<Record<string, unknown>>;

interface Query {
  readonly name: string;
  readonly filter: () => Filter;
  readonly limit: number;
  /** A page that begins after the first thousand documents of the order. */
  readonly deep?: true;
}

/** A tenth of all documents are of one city, the others of one of a thousand. */
const QUERIES: readonly Query[] = [
  { name: "find_one by a unique field", filter: () => ({ email: `user-${random(docs)}` }), limit: 1 },
  { name: "find by a field, 9 documents", filter: () => ({ group: random(groups()) }), limit: 100 },
  {
    name: "find by a field, 900 documents, $limit 100",
    filter: () => ({ city: `city-${random(1000)}` }),
    limit: 100,
  },
  { name: "find by a field, 100,000 documents, $limit 100", filter: () => ({ city: "capital" }), limit: 100 },
  {
    name: "$in of 20",
    filter: () => ({ email: { $in: Array.from({ length: 20 }, () => `user-${random(docs)}`) } }),
    limit: 100,
  },
  {
    name: "$in of 3, 101,000 documents",
    filter: () => ({ city: { $in: ["capital", `city-${random(1000)}`, `city-${random(1000)}`] } }),
    limit: 100,
  },
  { name: "range, a half on average", filter: () => ({ score: { $gte: random(docs) } }), limit: 100 },
  {
    name: "range, a thousandth",
    filter: () => {
      const from = random(docs * 0.999);
      return { score: { $gte: from, $lt: from + docs / 1000 } };
    },
    limit: 100,
  },
  {
    name: "range, $sort, $limit 20",
    filter: () => ({ score: { $gte: random(docs) }, $sort: { score: 1 } }),
    limit: 20,
  },
  {
    name: "range on both sides, $sort downwards, $limit 20",
    filter: () => {
      const from = random(docs - 20_000);
      return { score: { $gte: from, $lt: from + 10_000 }, $sort: { score: -1 } };
    },
    limit: 20,
  },
  { name: "$sort alone, $limit 20", filter: () => ({ $sort: { score: -1 } }), limit: 20 },
  {
    name: "field and another condition",
    filter: () => ({ city: `city-${random(1000)}`, active: true }),
    limit: 20,
  },
  {
    name: "field, $sort by another, $limit 20",
    filter: () => ({ city: random(2) === 0 ? "capital" : `city-${random(1000)}`, $sort: { score: -1 } }),
    limit: 20,
  },
  { name: "page, 1,000 deep, $sort", filter: () => ({ $sort: { score: 1 } }), limit: 100, deep: true },
  { name: "page, 1,000 deep, of 100,000", filter: () => ({ city: "capital" }), limit: 100, deep: true },
];

/** Documents by the million: queries that an index answers, and what indexes cost. Within the process, without HTTP. */
export async function run(flags: ReadonlySet<string>): Promise<void> {
  const given = [...flags].find((flag) => flag.startsWith(FLAG));
  if (given !== undefined) docs = Number(given.slice(FLAG.length));
  plansWanted = flags.has("--plans");
  const database = await testDatabase();
  const db = connect(database.target, { max: 1, applicationName: "picloud-bench", statementTimeoutMs: 0 });
  const worker = connect(database.target, {
    max: 1,
    applicationName: "picloud-bench-worker",
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  });
  try {
    const appId = await seed(db).app("bench");
    const place = { appId, collection: "people" };
    await fill(db, appId);
    await buildIndexes(db, place);
    printVerdict(await measureQueries(worker, place));
    await measureCounts(worker, place);
    await measureTimeout(worker, place);
    await measureInserts(db, appId);
  } finally {
    await worker.end();
    await db.end();
    await database.drop();
  }
}

interface Place {
  readonly appId: string;
  readonly collection: string;
}

/** Triggers are left out: what single documents cost with them is measured at the end. */
async function fill(db: Database, appId: string): Promise<void> {
  const spent = await stopwatch(db);
  await db.begin(async (sql) => {
    await sql`set local session_replication_role = replica`;
    await sql`
      insert into docs (app_id, collection, id, data)
      select ${appId}, 'people', uuidv7(), jsonb_build_object(
        'email', 'user-' || i, 'group', i % ${groups()}::int, 'score', (i::bigint * 7919) % ${docs}::int,
        'city', case when i % 10 = 0 then 'capital' else 'city-' || (i / 10) % 1000 end,
        'active', i % 3 = 0, 'address', jsonb_build_object('street', 'Long Lane', 'zip', i % 10000),
        'text', repeat('x', 100))
      from generate_series(0, ${docs}::int - 1) i`;
    // Documents of others are in the same tables.
    await sql`
      insert into docs (app_id, collection, id, data)
      select ${appId}, 'others-' || i % 100, uuidv7(), jsonb_build_object('email', 'user-' || i)
      from generate_series(1, 20000) i`;
  });
  console.log(`${docs} documents written in ${spent()}`);
}

async function buildIndexes(db: Database, place: Place): Promise<void> {
  for (const [field, isUnique] of [
    ["email", true],
    ["group", false],
    ["city", false],
    ["score", false],
  ] as const) {
    await requestIndex(db, place, [field], isUnique);
    const spent = await stopwatch(db);
    await finishIndexes(db);
    console.log(`index on ${field}${isUnique ? ", unique" : ""}: built in ${spent()}`);
  }
}

/** What a worker knows. */
const finding = (): Finding => ({ indexes: new IndexCache(), matchPattern: () => false });

const read = (filter: Filter) => {
  const given = fromHost(filter as Parameters<typeof fromHost>[0]);
  if (!(given instanceof RhaiMap)) throw new TypeError("a filter is a map");
  return readFilter(given);
};

/**
 * The time between question and answer, and the processor time of the server's process alone, which hardly depends on what else
 * the machine does.
 * @returns names of those that are not as fast as they should be, or read a table from one end to the other
 */
async function measureQueries(worker: Database, place: Place): Promise<Verdict> {
  const known = finding();
  const verdict: Verdict = { slow: [], costly: [], scanning: [] };
  const rows: (string | number)[][] = [];
  const processor = await processorOf(worker);
  const measure = async (rounds: number, ask: (round: number) => Promise<() => Promise<number>>) => {
    const samples: number[] = [];
    const costs: number[] = [];
    let found = 0;
    for (let round = 0; round < rounds; round++) {
      const query = await ask(round);
      const before = processor();
      const begun = performance.now();
      found += await query();
      samples.push(performance.now() - begun);
      costs.push(processor() - before);
    }
    const texts = [samples, costs].flatMap((times) => [quantile(times, 0.5), quantile(times, 0.95)]);
    return {
      p95: texts[1] ?? 0,
      cost: texts[3] ?? 0,
      cells: [...texts.map((ms) => ms.toFixed(2)), found / rounds],
    };
  };
  const baseline = await measure(ROUNDS, async () => async () => (await worker`select 1`).length);
  rows.push(["select 1 (baseline)", ...baseline.cells, ""]);
  for (const { name, filter, limit, deep } of QUERIES) {
    const { p95, cost, cells } = await measure(deep === true ? DEEP_ROUNDS : ROUNDS, async () => {
      const given = filter();
      const query = read(given);
      const after = deep === true ? await deepInside(worker, place, given, known) : null;
      return async () => (await findDocs(worker, place, query, { limit, after }, known)).length;
    });
    const query = read(filter());
    const scans = await sequentialScans(worker, (sql) =>
      findDocs(sql, place, query, { limit, after: null }, known),
    );
    if (p95 >= GOAL_P95_MS) verdict.slow.push(name);
    if (cost >= GOAL_P95_MS) verdict.costly.push(name);
    if (scans !== "none") verdict.scanning.push(name);
    rows.push([name, ...cells.slice(0, 4), Number(cells[4]).toFixed(0), scans]);
  }
  printTable(
    [
      `${docs} documents`,
      "p50 ms",
      "p95 ms",
      "server's p50 ms",
      "server's p95 ms",
      "found",
      "sequential scans",
    ],
    rows,
  );
  return verdict;
}

interface Verdict {
  /** The answer took too long. */
  readonly slow: string[];
  /** The server worked too long for it. */
  readonly costly: string[];
  readonly scanning: string[];
}

function printVerdict({ slow, costly, scanning }: Verdict): void {
  const told = (names: readonly string[]): string =>
    names.length === 0 ? "met" : `NOT MET: ${names.join("; ")}`;
  console.log(`goal: p95 under ${GOAL_P95_MS} ms: ${told(slow)}`);
  console.log(`goal: p95 of the server's processor time under ${GOAL_P95_MS} ms: ${told(costly)}`);
  console.log(`goal: no sequential scans: ${told(scanning)}\n`);
}

/** Where a page begins after a thousand documents. */
async function deepInside(
  worker: Database,
  place: Place,
  filter: Filter,
  known: Finding,
): Promise<After | null> {
  const query = read(filter);
  const before = await findDocs(worker, place, query, { limit: 1000, after: null }, known);
  const last = before.at(-1);
  return last === undefined ? null : afterOf(read({ ...filter, $cursor: cursorOf(query, last) }));
}

/** Reads the processor time of a connection's server process, in milliseconds; 0 where the system does not tell. */
async function processorOf(db: Database): Promise<() => number> {
  const [row] = await db<{ pid: number }[]>`select pg_backend_pid() as pid`;
  const path = `/proc/${row?.pid}/schedstat`;
  return () => (existsSync(path) ? Number(readFileSync(path, "utf8").split(" ")[0]) / 1e6 : 0);
}

/** Reads the plans of statements instead of their rows: those for these values, and the one for any. */
async function sequentialScans(db: Database, ask: (sql: Database) => Promise<unknown>): Promise<string> {
  const statements: (readonly [string, unknown[]])[] = [];
  const spy = new Proxy(db, {
    get: (target, name) =>
      name === "unsafe"
        ? (text: string, values: unknown[]) => {
            statements.push([text, values]);
            return Promise.resolve([{ many: true }]);
          }
        : Reflect.get(target, name),
  });
  await ask(spy);
  const scanning: string[] = [];
  for (const [text, values] of statements) {
    for (const [name, lines] of [
      ["for its values", await db.unsafe(`explain ${text}`, values as never[])],
      ["for any values", await db.unsafe(`explain (generic_plan) ${text}`)],
    ] as const) {
      const plan = lines.map((line) => String(Object.values(line)[0])).join("\n");
      if (/Seq Scan on (docs|doc_index_entries)/.test(plan)) scanning.push(name);
      if (plansWanted) console.log(`${name}\n${plan}\n`);
    }
  }
  return scanning.length === 0 ? "none" : scanning.join(", ");
}

async function measureCounts(worker: Database, place: Place): Promise<void> {
  const rows: (string | number)[][] = [];
  for (const filter of [{ city: "city-7" }, { city: "capital" }, { score: { $lt: 1000 } }]) {
    const samples: number[] = [];
    let count = 0;
    for (let round = 0; round < 10; round++) {
      const begun = performance.now();
      count = await countDocs(worker, place, read(filter), finding());
      samples.push(performance.now() - begun);
    }
    rows.push([`count(${JSON.stringify(filter)})`, count, quantile(samples, 0.5).toFixed(1)]);
  }
  printTable(["counting", "documents", "p50 ms"], rows);
}

async function measureTimeout(worker: Database, place: Place): Promise<void> {
  const begun = performance.now();
  try {
    // One that no server reads in time: each document is looked at many times.
    const slow = {
      $or: Array.from({ length: 20 }, (_, i) => ({ "address.street": { $contains: `no ${i}` } })),
      zip: 5,
    };
    await findDocs(worker, place, read(slow), { limit: 1, after: null }, finding());
    console.log(`\nwithout an index: answered after ${seconds(begun)} s`);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.log(`\nwithout an index: ended after ${seconds(begun)} s: ${error.message}`);
  }
}

async function measureInserts(db: Database, appId: string): Promise<void> {
  const rows: (string | number)[][] = [];
  let baseline = 0;
  for (const indexes of [0, 1, 4]) {
    const place = { appId, collection: `inserts-${indexes}` };
    for (const field of ["email", "group", "city", "score"].slice(0, indexes))
      await requestIndex(db, place, [field], false);
    await finishIndexes(db);
    const samples: number[] = [];
    const begun = performance.now();
    for (let i = 0; i < INSERTS; i++) {
      const asked = performance.now();
      const data = { email: `u${i}`, group: i % 9, city: `city-${i % 100}`, score: i, text: "x".repeat(100) };
      await insertDoc(db, place, newId(), JSON.stringify(data));
      samples.push(performance.now() - asked);
    }
    const rate = INSERTS / ((performance.now() - begun) / 1000);
    if (indexes === 0) baseline = rate;
    rows.push([
      `${indexes} indexes`,
      rate.toFixed(0),
      quantile(samples, 0.5).toFixed(2),
      quantile(samples, 0.95).toFixed(2),
      (rate / baseline).toFixed(2),
    ]);
  }
  printTable(
    ["inserts over one connection, without waiting for the disk", "inserts/s", "p50 ms", "p95 ms", "ratio"],
    rows,
  );
}

/** Tells the time since it was made, and the server's processor time. */
async function stopwatch(db: Database): Promise<() => string> {
  const processor = await processorOf(db);
  const [begun, before] = [performance.now(), processor()];
  return () =>
    `${seconds(begun)} s (processor time of the server: ${((processor() - before) / 1000).toFixed(1)} s)`;
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(1);
