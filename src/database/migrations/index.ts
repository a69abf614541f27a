import core from "./0001_core.sql" with { type: "text" };
import controlPlane from "./0002_control_plane.sql" with { type: "text" };
import data from "./0003_data.sql" with { type: "text" };
import events from "./0004_events.sql" with { type: "text" };
import delivery from "./0005_delivery.sql" with { type: "text" };

/** One step of the schema. A file that was released is never changed: a correction is a new migration. */
export interface Migration {
  /** 1, 2, 3 …, without gaps. */
  readonly number: number;
  /** The file's name without its number and suffix. */
  readonly name: string;
  readonly sql: string;
}

/** All migrations, in order; the SQL is embedded in the binary. */
export const MIGRATIONS: readonly Migration[] = [
  { number: 1, name: "core", sql: core },
  { number: 2, name: "control_plane", sql: controlPlane },
  { number: 3, name: "data", sql: data },
  { number: 4, name: "events", sql: events },
  { number: 5, name: "delivery", sql: delivery },
];
