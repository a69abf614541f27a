import type { Query } from "./filter.ts";
import { answersAll } from "./plan.ts";
import type { Collection } from "./queries.ts";
import {
  afterSql,
  conditionSql,
  indexSql,
  keyOf,
  samePath,
  type After,
  type IndexUse,
  type Statement,
} from "./sql.ts";

/** Which documents of a query are wanted. */
export interface Page {
  readonly limit: number;
  /** Null: from the first. */
  readonly after: After | null;
}

/**
 * Documents in order. They are looked up one by one, in the order of the entries where that is the one that is wanted;
 * `offset 0` leaves the server no choice, whose figures may be of a time when there were few.
 */
export function findSql(
  statement: Statement,
  collection: Collection,
  query: Query,
  use: IndexUse | null,
  page: Page,
): string {
  const parts = partsOf(statement, collection, query, use, page);
  const { docs, where, after, order, limit } = parts;
  if (use === null) return inOrder(parts, query, `${docs} and ${where}${after} ${order} ${limit}`);
  const doc = lookUp(parts);
  if (query.sort.length > 0 || (use.kind === "values" && use.json.length === 1)) {
    const entries = `where ${entriesSql(statement, collection, use)}${after}`;
    return inOrder(parts, query, `from doc_index_entries e ${doc} ${entries} ${order} ${limit}`);
  }
  // By id: entries are sorted, not documents, of which no more are read than are wanted.
  const all = answersAll(query, use);
  const entries =
    use.kind === "values" && all
      ? eachValue(parts, statement, collection, use)
      : `doc_index_entries e where ${entriesSql(statement, collection, use)}${after}`;
  const sorted = `(select e.value, e.doc_id from ${entries} order by e.doc_id ${all ? limit : "offset 0"}) e`;
  return inOrder(parts, query, `from ${sorted} ${doc} ${order} ${limit}`);
}

/**
 * The documents in the order of their ids, when an index leaves no more than so many of them: in the first row `many` tells
 * whether it does, and a row without an id is none.
 */
export function findFewSql(
  statement: Statement,
  collection: Collection,
  query: Query,
  use: IndexUse,
  page: Page,
  most: number,
): string {
  const parts = partsOf(statement, collection, query, use, page);
  const { after, order, limit } = parts;
  const bound = `${statement.bind(most)}::integer`;
  const entries = `from doc_index_entries e where ${entriesSql(statement, collection, use)} limit ${bound} + 1`;
  const entered = `from few e where not (select many from counted)${after}`;
  const sorted = `(select e.value, e.doc_id ${entered} order by e.doc_id ${answersAll(query, use) ? limit : "offset 0"}) e`;
  const found = inOrder(parts, query, `from ${sorted} ${lookUp(parts)} ${order} ${limit}`);
  return (
    `with few as materialized (select e.value, e.doc_id ${entries}), ` +
    `counted as materialized (select count(*) > ${bound} as many from few) ` +
    `select c.many, r.* from counted c left join (${found}) r on true order by r.id`
  );
}

/**
 * Of the first `walked` documents in the order that is wanted, those that are looked for.
 * @param use an index on the one field that is sorted by; null: the order is that of ids
 */
export function walkSql(
  statement: Statement,
  collection: Collection,
  query: Query,
  use: IndexUse | null,
  page: Page,
  walked: number,
): string {
  const parts = partsOf(statement, collection, query, use, page);
  const { docs, where, after, order, limit } = parts;
  const some = `limit ${statement.bind(walked)}::integer`;
  if (use === null) {
    const first = `(select d.* ${docs}${after} order by d.id ${some}) d`;
    return inOrder(parts, query, `from ${first} where ${where} ${order} ${limit}`);
  }
  const entries = `from doc_index_entries e where ${entriesSql(statement, collection, use)}${after}`;
  const direction = query.sort[0]?.descending === true ? "desc" : "asc";
  const first = `(select e.value, e.doc_id ${entries} order by e.value ${direction}, e.doc_id ${some}) e`;
  return inOrder(parts, query, `from ${first} ${lookUp(parts)} ${order} ${limit}`);
}

/** The first entries of each value. */
function eachValue(
  { after, limit }: Parts,
  statement: Statement,
  collection: Collection,
  use: Extract<IndexUse, { readonly kind: "values" }>,
): string {
  const values = `(select distinct value from unnest(${statement.jsonArray(use.json)}) value) v`;
  const ofIndex = entriesSql(statement, collection, { kind: "sort", id: use.id, path: use.path });
  const ofValue = `from doc_index_entries e where ${ofIndex} and e.value = v.value${after}`;
  return `${values} cross join lateral (select e.value, e.doc_id ${ofValue} order by e.doc_id ${limit}) e`;
}

/** How many documents there are. */
export function countSql(
  statement: Statement,
  collection: Collection,
  query: Query,
  use: IndexUse | null,
): string {
  const count = "select count(*)::integer as count";
  if (use !== null && answersAll(query, use))
    return `${count} from doc_index_entries e where ${entriesSql(statement, collection, use)}`;
  const docs = docsSql(statement, collection);
  const where = conditionSql(statement, query.where);
  if (use === null) return `${count} ${docs} and ${where}`;
  return (
    `${count} from doc_index_entries e cross join lateral (select ${docs} and d.id = e.doc_id and ${where} offset 0) d ` +
    `where ${entriesSql(statement, collection, use)}`
  );
}

/** Whether an index leaves more than so many documents. */
export function manySql(statement: Statement, collection: Collection, use: IndexUse, many: number): string {
  return `select exists (select from doc_index_entries e where ${entriesSql(statement, collection, use)} offset ${statement.bind(many)}::integer) as many`;
}

/** Whether the first documents in the order that is wanted are known from the first entries of an index. */
export function hasOrder(query: Query, use: IndexUse): boolean {
  const [first] = query.sort;
  if (first !== undefined) return samePath(first.path, use.path);
  return use.kind === "values" && (use.json.length === 1 || answersAll(query, use));
}

/** What a statement is put together of; each is there once with its parameters, and may be named more than once. */
interface Parts {
  /** The documents `d` of a collection: app and collection come first. */
  readonly docs: string;
  readonly where: string;
  readonly after: string;
  /** The sort keys as columns `k0`, `k1` … of the documents `d` or entries `e`, and the id. */
  readonly keys: string;
  readonly order: string;
  readonly limit: string;
}

function partsOf(
  statement: Statement,
  collection: Collection,
  query: Query,
  use: IndexUse | null,
  page: Page,
): Parts {
  const id = use === null ? "d.id" : "e.doc_id as id";
  const keys = query.sort.map((key, index) => `${keyOf(statement, key, use)} as k${index}, `);
  return {
    docs: docsSql(statement, collection),
    where: conditionSql(statement, query.where),
    after: page.after === null ? "" : ` and ${afterSql(statement, query.sort, use, page.after)}`,
    keys: keys.join("") + id,
    order: `order by ${orderOf(query)}`,
    limit: `limit ${statement.bind(page.limit)}::integer`,
  };
}

/** `id` comes last, so that there is always one order. */
const orderOf = ({ sort }: Query): string =>
  [...sort.map(({ descending }, index) => `k${index} ${descending ? "desc" : "asc"}`), "id asc"].join(", ");

/** Documents are made text when it is known which ones are wanted. */
const inOrder = ({ keys }: Parts, query: Query, from: string): string =>
  `select f.id, f.data::text as data, f.created_at, f.updated_at, ` +
  `array[${query.sort.map((_, index) => `k${index}::text`).join(", ")}]::text[] as keys ` +
  `from (select ${keys}, d.data, d.created_at, d.updated_at ${from}) f order by ${orderOf(query)}`;

/** The document of each entry. */
const lookUp = ({ docs, where }: Parts): string =>
  `cross join lateral (select d.data, d.created_at, d.updated_at ${docs} and d.id = e.doc_id and ${where} offset 0) d`;

const docsSql = (statement: Statement, { appId, collection }: Collection): string =>
  `from docs d where d.app_id = ${statement.bind(appId)}::uuid and d.collection = ${statement.bind(collection)}::text`;

/** Conditions on the entries `e` that an index narrows the documents to. */
const entriesSql = (statement: Statement, { appId }: Collection, use: IndexUse): string =>
  `e.app_id = ${statement.bind(appId)}::uuid and ${indexSql(statement, use)}`;
