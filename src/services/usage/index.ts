/** How much data apps have: counted by triggers (migration 0003), read here. */
export { listUsage, type CollectionUsage, type DataKind, type UsagePage } from "./queries.ts";
export { appUsage, deleteEmptyUsage, type AppUsage, type KindUsage } from "./queries.ts";
export { inBulk } from "./bulk.ts";
