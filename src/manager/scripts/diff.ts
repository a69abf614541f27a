import { FILE_HEADERS_ONLY, formatPatch, structuredPatch } from "diff";
import { SANDBOX_KEYS } from "../../services/catalog/index.ts";
import type { Principal } from "../../shared/principal.ts";
import type { ManagerContext } from "../context.ts";
import { notFound } from "../../shared/errors.ts";
import { openScript } from "./access.ts";
import { findVersion, type Version } from "./queries.ts";

/**
 * The comparison happens in the main thread, and two long sources that have nothing in common would take seconds. So it
 * is not begun for more lines than that (both sources together), and given up after so many different ones, or so long.
 */
const MAX_LINES = 20_000;
const MAX_DIFFERENT_LINES = 1000;
const MAX_MS = 50;

/**
 * What differs between two versions: settings as comment lines, then the sources as a unified diff that `patch` and
 * `git apply` take. Empty when nothing does.
 * @throws AppError 404
 */
export async function diffVersions(
  context: ManagerContext,
  who: Principal,
  id: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<string> {
  const script = await openScript(context, who, id, "AppRead");
  const [before, after] = await Promise.all([
    findVersion(context.db, script, from),
    findVersion(context.db, script, to),
  ]);
  if (before === undefined || after === undefined) throw notFound("Version");
  return differences(`${script.name}.rhai`, before, after);
}

type Compared = Pick<Version, "version" | "source" | "timeout_seconds" | "memory_limit_mb" | "sandbox">;

/** @param file the name that stands in the headers */
export function differences(file: string, before: Compared, after: Compared): string {
  return settingsLines(before, after).join("") + sourceDiff(file, before, after);
}

function settingsLines(before: Compared, after: Compared): string[] {
  const old = settingsOf(before);
  return Object.entries(settingsOf(after))
    .filter(([name, value]) => value !== old[name])
    .map(([name, value]) => `# ${name}: ${old[name] ?? "default"} -> ${value ?? "default"}\n`);
}

function settingsOf({
  timeout_seconds,
  memory_limit_mb,
  sandbox,
}: Compared): Record<string, number | undefined> {
  const keys = Object.keys(SANDBOX_KEYS) as (keyof typeof SANDBOX_KEYS)[];
  return {
    timeout_seconds,
    memory_limit_mb,
    ...Object.fromEntries(keys.map((key) => [`sandbox.${key}`, sandbox[key]])),
  };
}

function sourceDiff(file: string, before: Compared, after: Compared): string {
  if (before.source === after.source) return "";
  const names = [`a/${file}`, `b/${file}`] as const;
  const versions = [`version ${before.version}`, `version ${after.version}`] as const;
  const lines = [countLines(before.source), countLines(after.source)] as const;
  if (lines[0] + lines[1] <= MAX_LINES) {
    const patch = structuredPatch(...names, before.source, after.source, ...versions, {
      context: 3,
      maxEditLength: MAX_DIFFERENT_LINES,
      timeout: MAX_MS,
    });
    if (patch !== undefined) return formatPatch(patch, FILE_HEADERS_ONLY);
  }
  const headers = formatPatch(
    {
      oldFileName: names[0],
      newFileName: names[1],
      oldHeader: versions[0],
      newHeader: versions[1],
      hunks: [],
    },
    FILE_HEADERS_ONLY,
  );
  return (
    `# too different to be compared line by line: all lines are shown\n${headers}` +
    `@@ -1,${lines[0]} +1,${lines[1]} @@\n${marked("-", before.source)}${marked("+", after.source)}`
  );
}

function countLines(text: string): number {
  let count = text.endsWith("\n") ? 0 : 1;
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** All lines of a text with a mark before each. */
function marked(mark: string, text: string): string {
  const complete = text.endsWith("\n");
  const lines = mark + (complete ? text.slice(0, -1) : text).replaceAll("\n", `\n${mark}`);
  return complete ? `${lines}\n` : `${lines}\n\\ No newline at end of file\n`;
}
