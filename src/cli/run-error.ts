import { SERVICE_NAMESPACES } from "../executor/sdk/mentions.ts";
import { columnOf, excerptAt, lineOf, NONE, type Pos, type RhaiError } from "../rhai/index.ts";

/**
 * A failed run for a terminal: the official message, innermost first, and below each of its lines the place in the
 * source with a caret.
 * @param hasModules then only the outermost place is sure to be in this source, and only it is shown
 */
export function runErrorText(error: RhaiError, source: string, hasModules: boolean): string {
  const links = [error];
  for (let link = error.inner; link !== null; link = link.inner) links.unshift(link);
  let said = "";
  let text = "";
  for (const link of links) {
    const { message } = link;
    // Each message repeats what is inside of it.
    const own = said !== "" && message.startsWith(`${said}\n`) ? message.slice(said.length + 1) : message;
    said = message;
    text += `${own}\n${hasModules && link !== error ? "" : placeText(source, link.pos)}`;
  }
  return text + hint(links[0] ?? error);
}

/** For what only a server has. */
function hint({ message }: RhaiError): string {
  const missing = /^Module not found: (\w+)/.exec(message)?.[1] ?? "";
  return SERVICE_NAMESPACES.includes(missing)
    ? `${missing}:: is there on a server only, which keeps the data: deploy the script to run it.\n`
    : "";
}

/** `FILE:LINE:COLUMN` of where it went wrong, as far as it is known to be in that file. */
export function runErrorPlace(error: RhaiError, name: string, hasModules: boolean): string {
  let cause = error;
  while (!hasModules && cause.inner !== null) cause = cause.inner;
  return cause.pos === NONE ? name : `${name}:${lineOf(cause.pos)}:${Math.max(columnOf(cause.pos), 1)}`;
}

function placeText(source: string, pos: Pos): string {
  if (pos === NONE) return "";
  const number = String(lineOf(pos));
  const [line = "", caret = ""] = excerptAt(source, pos).split("\n");
  return `  ${number} | ${line}\n  ${" ".repeat(number.length)} | ${caret}\n`;
}
