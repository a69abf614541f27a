import { length } from "../runtime/text.ts";

/** How often a text holds another, without overlap. The empty text lies before, between and after all characters. */
export function countOf(text: string, sought: string): number {
  if (sought === "") return length(text) + 1;
  let count = 0;
  for (let at = text.indexOf(sought); at >= 0; at = text.indexOf(sought, at + sought.length)) count++;
  return count;
}
