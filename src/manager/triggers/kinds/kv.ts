import { collectionKind } from "./collection.ts";

/** Changes of keys. */
export const kv = collectionKind("kv", ["insert", "update", "delete"]);
