/** Documents of an app, in collections. */
export { pageOfDocs, writeDocs, type DocImport, type DocPage } from "./browse.ts";
export { createIndexBuilder, type IndexBuilder } from "./builder.ts";
export { afterOf, cursorOf } from "./cursor.ts";
export { pickFields } from "./pick.ts";
export { readFilter, readPath, invalidFilter } from "./read-filter.ts";
export type { Condition, Path, Query } from "./filter.ts";
export {
  countDocs,
  explainQuery,
  findDocs,
  hasPattern,
  type Explanation,
  type Finding,
  type FoundDoc,
} from "./find.ts";
export { IndexCache } from "./index-cache.ts";
export { finishIndexes } from "./building.ts";
export {
  indexesOf,
  listIndexes,
  requestDrop,
  requestIndex,
  type DocIndex,
  type IndexState,
} from "./indexes.ts";
export {
  deleteDoc,
  getDoc,
  insertDoc,
  listDocs,
  MAX_DOC_BYTES,
  mergeDoc,
  replaceDoc,
  type Collection,
  type Doc,
} from "./queries.ts";
export type { MatchPattern } from "./match.ts";
export type { After } from "./sql.ts";
