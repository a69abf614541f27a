/** `npm run build [-- --target PLATFORM]`: one executable in dist/. */
import { relative } from "node:path";
import { parseArgs } from "node:util";
import manifest from "../../package.json" with { type: "json" };
import { compile, ROOT } from "./compile.ts";
import { HOST, PLATFORMS, platformOf } from "./platform.ts";
import { RELEASE_LEVEL } from "./postgres-archive.ts";

const USAGE = `npm run build [-- --target ${PLATFORMS.join("|")}] [--quick]`;

try {
  const { values } = parseArgs({ options: { target: { type: "string" }, quick: { type: "boolean" } } });
  const platform = platformOf(values.target ?? HOST);
  const started = performance.now();
  console.log(`PiCloud ${manifest.version} for ${platform}`);
  if (values.quick !== true) console.log("  compressing PostgreSQL well: about a minute, the first time …");
  const binary = await compile(platform, {
    force: true,
    ...(values.quick === true ? {} : { level: RELEASE_LEVEL }),
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`  ${relative(ROOT, binary.path)}: ${(binary.size / 1e6).toFixed(1)} MB, in ${seconds} s`);
} catch (error) {
  if (error instanceof AggregateError) for (const cause of error.errors) console.error(String(cause));
  console.error(error instanceof Error ? error.message : error);
  console.error(`Usage: ${USAGE}`);
  process.exitCode = 1;
}
