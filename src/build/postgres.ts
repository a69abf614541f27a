/** `bun src/build/postgres.ts PLATFORM OUT`: writes the Postgres archive of a platform; a step of the set-up. */
import { makePostgresArchive } from "./postgres-archive.ts";
import { platformOf } from "./platform.ts";

const [platform = "", out = ""] = process.argv.slice(2);
await makePostgresArchive(platformOf(platform), out);
