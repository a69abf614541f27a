import type { RunLimits } from "../../shared/limits.ts";
import type { AppSettings } from "./app-settings.ts";
import type { RateLimit, RoutePattern } from "../routes/index.ts";

/** One app, as far as the data plane must know it. A snapshot: replaced as a whole, never changed. */
export interface CatalogApp {
  readonly id: string;
  readonly slug: string;
  readonly settings: AppSettings;
  /** When its pause ends, in milliseconds since the epoch (Infinity: not by itself); null: it is not paused. May be past. */
  readonly pausedUntil: number | null;
  /** Whether there is a trigger for changes of its data: then writes tell what run made them, and may cause events. */
  readonly emits: boolean;
}

export interface CatalogRoute extends RoutePattern {
  readonly id: string;
  readonly appId: string;
  readonly scriptId: string;
  /** Null: as many requests as come. */
  readonly rateLimit: RateLimit | null;
  /** Whether an Idempotency-Key is honoured. */
  readonly idempotent: boolean;
}

export interface CatalogScript {
  readonly appId: string;
  readonly id: string;
  readonly name: string;
  readonly kind: "endpoint" | "module";
  /** The version that runs; null while there are only drafts. */
  readonly liveVersion: number | null;
  /** Of the live version: the defaults, with the script's own settings in their place. */
  readonly limits: RunLimits;
  readonly directExecute: "members" | "public";
  /** Of the live version: the names that it imports, and ANY_MODULE. */
  readonly imports: readonly string[];
}
