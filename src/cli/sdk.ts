import { referenceMarkdown, sdkReference } from "../executor/sdk/reference/index.ts";
import { write } from "./output.ts";

/** `picloud sdk`: what scripts can use, as a page in Markdown or, for editors, as JSON. */
export function printSdk(flags: { readonly json?: boolean }): void {
  const reference = sdkReference();
  write(
    "stdout",
    flags.json === true ? `${JSON.stringify(reference, null, 2)}\n` : referenceMarkdown(reference),
  );
}
