import { collectionKind } from "./collection.ts";

/** Changes of documents. */
export const docs = collectionKind("docs", ["create", "update", "delete"]);
