/** Documents of an app, in collections. */
export { createIndexBuilder, type IndexBuilder } from "./builder.ts";
export { readFilter, readPath, invalidFilter } from "./read-filter.ts";
export type { Condition, Path, Query } from "./filter.ts";
export { countDocs, explainQuery, findDocs, type Explanation, type FoundDoc } from "./find.ts";
export {
  finishIndexes,
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
  mergeDoc,
  replaceDoc,
  type Collection,
  type Doc,
} from "./queries.ts";
export type { MatchPattern } from "./match.ts";
export type { After } from "./sql.ts";
