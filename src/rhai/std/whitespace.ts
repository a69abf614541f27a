/** Unicode white space as Rust understands it (the property White_Space), which differs from JavaScript's `\s`. */
const SPACE = String.raw`[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]`;

const START = new RegExp(`^${SPACE}+`);
const SPACE_ONLY = new RegExp(SPACE);
const RUN = new RegExp(`${SPACE}+`);

/** The text without white space at either end. */
export function trim(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE_ONLY.test(text.charAt(end - 1))) end--;
  return text.slice(0, end).replace(START, "");
}

/** The words between white space; none of them is empty. */
export function words(text: string): string[] {
  return text.split(RUN).filter((word) => word !== "");
}
