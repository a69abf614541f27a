import * as store from "../../services/docs/index.ts";
import { parseJson, RhaiMap, toJson } from "../../rhai/index.ts";
import { AppError, invalid } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import type { ManagerContext } from "../context.ts";
import { DEFAULT_PAGE, MAX_PAGE } from "../http/cursor.ts";
import { rawPage, storable } from "../http/raw-json.ts";
import { docJson, openCollection, type CollectionPath } from "./service.ts";

/** Bytes of a filter. */
const MAX_FILTER = 256 * 1024;
/** As long as a query of a script may take. */
const TIMEOUT = "5s";

/** The page that a filter describes. @param text JSON as the client wrote it @throws AppError 400, 403, 404, 422 */
export async function findDocs(
  context: ManagerContext,
  who: Principal,
  path: CollectionPath,
  text: string,
): Promise<Response> {
  const collection = await openCollection(context, who, path, "AppDocsRead");
  const query = readQuery(text);
  const limit = Math.min(query.limit ?? DEFAULT_PAGE, MAX_PAGE);
  const page = { limit: limit + 1, after: store.afterOf(query) };
  const rows = await context.db.begin(async (sql) => {
    await sql`select set_config('statement_timeout', ${TIMEOUT}, true)`;
    return store.findDocs(sql, collection, query, page, {
      indexes: new store.IndexCache(),
      matchPattern: noPattern,
    });
  });
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  const { select } = query;
  const items =
    select === null
      ? shown
      : shown.map((doc) => ({ ...doc, data: toJson(store.pickFields(parseJson(doc.data), select)) }));
  return rawPage(items.map(docJson), last === undefined ? null : store.cursorOf(query, last));
}

/** What would answer a filter. @throws AppError 400, 403, 404, 422 */
export async function explainFilter(
  context: ManagerContext,
  who: Principal,
  path: CollectionPath,
  text: string,
): Promise<store.Explanation> {
  const collection = await openCollection(context, who, path, "AppDocsRead");
  return store.explainQuery(context.db, collection, readQuery(text));
}

function readQuery(text: string): store.Query {
  const filter = parseJson(storable(text, "filter", MAX_FILTER));
  if (!(filter instanceof RhaiMap))
    throw invalid("invalid_filter", "filter must be a JSON object.", { details: { field: "filter" } });
  let query: store.Query;
  try {
    query = store.readFilter(filter);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw invalid(error.code, error.message, { details: { field: "filter" } });
  }
  if (store.hasPattern(query)) noPattern();
  return query;
}

/** A pattern is tried on documents by this process, which has others to answer. Scripts have workers for it. */
function noPattern(): never {
  throw invalid("invalid_filter", "invalid filter: $regex is for scripts; here there is $contains", {
    details: { field: "filter" },
  });
}
