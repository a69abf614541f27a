/** Keys and values of an app, in collections. */
export { createExpiry, type Expiry } from "./expiry.ts";
export {
  addTo,
  deleteExpired,
  deleteKey,
  getValue,
  getValues,
  hasKey,
  listEntries,
  nextExpiry,
  setIfAbsent,
  setIfEqual,
  setValue,
  type KvPage,
  type KvPlace,
} from "./queries.ts";
