import type { Queryable } from "../../database/client.ts";
import { parseJson } from "../../rhai/index.ts";
import { invalid } from "../../shared/errors.ts";
import { conditionsIn, type Path, type Query } from "./filter.ts";
import type { IndexCache } from "./index-cache.ts";
import { readyIndexes } from "./indexes.ts";
import { matches, type MatchPattern } from "./match.ts";
import { chooseIndex, missingIndex, orderIndex, type ReadyIndex } from "./plan.ts";
import type { Collection, Doc } from "./queries.ts";
import { Statement, type After, type IndexUse } from "./sql.ts";
import { countSql, findSql, hasOrder, findFewSql, manySql, walkSql, type Page } from "./statements.ts";

/** A document with its sort keys (JSON text), from which a cursor is made. */
export interface FoundDoc extends Doc {
  readonly keys: readonly string[];
}

/** Documents that a regular expression is tried on at most. */
const MAX_CANDIDATES = 10_000;

/** Documents that are read at once while a regular expression is tried on them. */
const BATCH = 500;

/** What queries are answered with, besides the database. */
export interface Finding {
  readonly indexes: IndexCache;
  readonly matchPattern: MatchPattern;
}

/** Finds documents in order. @throws AppError 422 */
export async function findDocs(
  sql: Queryable,
  collection: Collection,
  query: Query,
  page: Page,
  finding: Finding,
): Promise<FoundDoc[]> {
  if (!hasPattern(query)) return select(sql, collection, query, page, finding);
  const found: FoundDoc[] = [];
  for await (const doc of candidates(sql, collection, query, page.after, finding)) {
    if (matches(query.where, parseJson(doc.data), finding.matchPattern)) found.push(doc);
    if (found.length === page.limit) break;
  }
  return found;
}

/** The documents that all but the regular expressions leave. @throws AppError 422 when they are too many */
async function* candidates(
  sql: Queryable,
  collection: Collection,
  query: Query,
  from: After | null,
  finding: Finding,
): AsyncGenerator<FoundDoc> {
  // One that is no pattern is an error also where there is nothing to try it on.
  for (const pattern of patternsOf(query)) finding.matchPattern(pattern, "");
  let after = from;
  for (let seen = 0; ;) {
    const batch = await select(sql, collection, query, { limit: BATCH, after }, finding);
    yield* batch;
    const last = batch.at(-1);
    if (last === undefined || batch.length < BATCH) return;
    seen += batch.length;
    if (seen >= MAX_CANDIDATES) {
      throw invalid(
        "query_too_slow",
        `$regex was tried on ${MAX_CANDIDATES} documents without an end; narrow the filter by an indexed field`,
      );
    }
    after = { keys: last.keys, id: last.id };
  }
}

/** An index that leaves no more documents than these is used, whatever the order. */
const MANY = 2000;
/** Documents that are looked at in the order that is wanted, when there are many, before all of the many are sorted. */
const WALKED = { min: 1000, timesLimit: 20, max: 4000 };

async function select(
  sql: Queryable,
  collection: Collection,
  query: Query,
  page: Page,
  { indexes }: Finding,
): Promise<FoundDoc[]> {
  const ready = await indexes.ready(sql, collection);
  const use = chooseIndex(query, ready);
  const order = orderIndex(query, ready);
  if (use !== null && order !== undefined && !hasOrder(query, use)) {
    const first = await walk(sql, collection, query, page, use, order, ready);
    if (first !== null) return first;
  }
  const statement = new Statement();
  const text = findSql(statement, collection, query, use, page);
  return run<FoundDoc>(sql, text, statement, query, ready);
}

/**
 * Where an index leaves many documents, and not in the order that is wanted: the first are usually found sooner by going
 * along in that order. Where it leaves few, and ids are the order, they are the answer.
 * @returns null: they have to be sorted
 */
async function walk(
  sql: Queryable,
  collection: Collection,
  query: Query,
  page: Page,
  use: IndexUse,
  order: IndexUse | null,
  ready: readonly ReadyIndex[],
): Promise<FoundDoc[] | null> {
  const probe = new Statement();
  if (order === null) {
    const text = findFewSql(probe, collection, query, use, page, MANY);
    const rows = await run<FoundDoc & { readonly many: boolean }>(sql, text, probe, query, ready);
    if (rows[0]?.many !== true) return rows.filter(({ id }) => id !== null);
  } else {
    const text = manySql(probe, collection, use, MANY);
    const [answer] = await run<{ many: boolean }>(sql, text, probe, query, ready);
    if (answer?.many !== true) return null;
  }
  const statement = new Statement();
  const walked = Math.min(WALKED.max, Math.max(WALKED.min, page.limit * WALKED.timesLimit));
  const text = walkSql(statement, collection, query, order, page, walked);
  const found = await run<FoundDoc>(sql, text, statement, query, ready);
  return found.length === page.limit ? found : null;
}

/** How many documents there are. @throws AppError 422 */
export async function countDocs(
  sql: Queryable,
  collection: Collection,
  query: Query,
  finding: Finding,
): Promise<number> {
  if (hasPattern(query)) {
    let count = 0;
    for await (const doc of candidates(sql, collection, { ...query, sort: [] }, null, finding)) {
      if (matches(query.where, parseJson(doc.data), finding.matchPattern)) count++;
    }
    return count;
  }
  const ready = await finding.indexes.ready(sql, collection);
  const use = chooseIndex({ ...query, sort: [] }, ready);
  const statement = new Statement();
  const text = countSql(statement, collection, query, use);
  const [row] = await run<{ count: number }>(sql, text, statement, query, ready);
  return row?.count ?? 0;
}

/** What would answer a query. */
export interface Explanation {
  /** The indexed field that narrows the documents or gives their order; null: every one of the collection is looked at. */
  readonly index: string | null;
  readonly uses: IndexUse["kind"] | "collection";
  /** A field of which an index would help, when none is used. */
  readonly suggestion: string | null;
}

export async function explainQuery(
  sql: Queryable,
  collection: Collection,
  query: Query,
): Promise<Explanation> {
  const ready = await readyIndexes(sql, collection);
  const use = chooseIndex(query, ready);
  return {
    index: use === null ? null : use.path.join("."),
    uses: use?.kind ?? "collection",
    suggestion: use === null ? (missingIndex(query, ready)?.join(".") ?? null) : null,
  };
}

/** Whether a query holds conditions that are not SQL's to decide. */
export const hasPattern = (query: Query): boolean => patternsOf(query).length > 0;

const patternsOf = (query: Query): string[] =>
  [...conditionsIn(query.where)].flatMap((condition) =>
    condition.kind === "regex" ? condition.pattern : [],
  );

/** Texts that were asked for once, and those that were asked for again. */
const seenOnce = new Set<string>();
const usual = new Set<string>();
const MAX_TEXTS = 100;

/**
 * Whether a statement should be prepared: sending it then takes one round trip instead of two, and others need not wait for
 * that. The server keeps prepared ones as long as the connection lives, so not every form of filter may become one that
 * a script ever made: only those that come again, and so many at most.
 */
function isUsual(text: string): boolean {
  if (usual.has(text)) return true;
  if (usual.size >= MAX_TEXTS) return false;
  if (seenOnce.delete(text)) {
    usual.add(text);
    return true;
  }
  if (seenOnce.size >= MAX_TEXTS) seenOnce.clear();
  seenOnce.add(text);
  return false;
}

/** SQLSTATE of a statement that took longer than it may. */
const CANCELED = "57014";

async function run<Row>(
  sql: Queryable,
  text: string,
  statement: Statement,
  query: Query,
  ready: readonly ReadyIndex[],
): Promise<Row[]> {
  try {
    return (await sql.unsafe(text, statement.values as never[], {
      prepare: isUsual(text),
    })) as unknown as Row[];
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === CANCELED)
      throw tooSlow(missingIndex(query, ready));
    throw error;
  }
}

function tooSlow(field: Path | null) {
  const name = field?.join(".");
  const help =
    name === undefined
      ? "Ask for less: narrow the filter by an indexed field."
      : `No index is on "${name}": create one with create_index("${name}").`;
  return invalid("query_too_slow", `the query took too long. ${help}`, { details: { field: name ?? null } });
}
