import { AppError } from "../../shared/errors.ts";
import type { Script } from "./queries.ts";

type Tagged = Pick<Script, "live_version" | "last_version">;

/** The entity tag of a script: the version that reading it shows. A draft beside a live version does not change it. */
export const etag = (script: Tagged): string => `"${shownVersion(script)}"`;

/** The live version; of a script that has only drafts, the newest one. */
export const shownVersion = (script: Tagged): number => script.live_version ?? script.last_version;

/** If-Match: the version that the client has seen (RFC 9110 13.1.1). @throws AppError 412 */
export function checkPrecondition(ifMatch: string | null, current: Tagged | undefined): void {
  if (ifMatch === null) return;
  const tags = ifMatch.split(",").map((tag) => tag.trim().replace(/^(?:W\/)?"(.*)"$/, "$1"));
  const wanted = new Set(tags);
  const version = current === undefined ? null : shownVersion(current);
  if (version !== null && (wanted.has("*") || wanted.has(String(version)))) return;
  const found = version === null ? "the script does not exist" : `it is at version ${version}`;
  throw new AppError(
    412,
    "version_mismatch",
    `The script is not at the version that If-Match names: ${found}.`,
    { details: { version } },
  );
}
