import type { Queryable } from "../../database/client.ts";
import type { LogDTO } from "./model.ts";

/** Which part of a script's log, newest first. */
export interface LogPage {
  /** 1 to 200. Default 50. */
  readonly limit?: number | undefined;
  readonly offset?: number | undefined;
  /** `created_at,id` of the last row seen: the page after it. Wins over `offset`. */
  readonly before?: string | undefined;
}

export declare function listLogs(
  db: Queryable,
  appId: string,
  scriptId: string,
  page: LogPage,
): Promise<LogDTO[]>;
