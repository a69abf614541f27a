import { type Diagnostic, formatDiagnostic } from "../rhai/index.ts";

/** Diagnostics of a file for a terminal; each begins with `FILE:LINE:COLUMN`, which editors turn into a link. */
export function diagnosticsText(name: string, diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .map((diagnostic) => {
      const place = diagnostic.line === null ? "" : `:${diagnostic.line}:${diagnostic.column ?? 1}`;
      return `${formatDiagnostic(diagnostic, `${name}${place}`)}\n`;
    })
    .join("");
}
