/** Keys and values of an app, in collections. */
export { createExpiry, type Expiry } from "./expiry.ts";
export {
  getEntry,
  pageOfEntries,
  writeEntries,
  type EntryPage,
  type KvEntry,
  type KvImport,
} from "./browse.ts";
export {
  addTo,
  deleteExpired,
  deleteKey,
  getValue,
  getValues,
  hasKey,
  listEntries,
  MAX_TTL_SECONDS,
  MAX_VALUE_BYTES,
  nextExpiry,
  setIfAbsent,
  setIfEqual,
  setValue,
  type KvPage,
  type KvPlace,
} from "./queries.ts";
