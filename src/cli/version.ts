import { schemaVersion } from "../database/migrator.ts";
import { VERSIONS } from "../shared/version.ts";
import { write } from "./output.ts";

/** `picloud version`: one `name<TAB>value` line each. */
export function printVersion(): void {
  const rows = { ...VERSIONS, schema: schemaVersion };
  for (const [name, value] of Object.entries(rows)) write("stdout", `${name}\t${value}\n`);
}
