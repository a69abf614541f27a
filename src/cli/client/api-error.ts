import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

/** The machine part of a problem document, as far as the command line looks at it. */
export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** An answer that is no success. Its text is `HTTP <status>: <message>`, with the compiler's excerpt where there is one. */
export class ApiError extends CommandError {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly details: Problem["details"];

  constructor(status: number, problem: Problem, hint = "") {
    // What a URL says with `?force=true`, a command says with an option.
    const message = problem.message.replaceAll("?force=true", "--force");
    super(`HTTP ${status}: ${message}${excerptOf(problem)}${hint}`, exitOf(status));
    this.status = status;
    this.code = problem.code;
    this.details = problem.details;
  }
}

function exitOf(status: number): number {
  if (status === 401) return EXIT.notAuthenticated;
  if (status === 404) return EXIT.notFound;
  return REFUSED.has(status) ? EXIT.refused : EXIT.failure;
}

const REFUSED: ReadonlySet<number> = new Set([400, 409, 410, 412, 413, 415, 422]);

/** The lines of the script with the caret, as the compiler drew them. */
function excerptOf({ details }: Problem): string {
  const { excerpt } = details;
  return typeof excerpt === "string" && excerpt !== "" ? `\n${excerpt}` : "";
}

/**
 * What an answer says about its failure.
 * @param text its body; anything but a problem document stands for itself, shortened
 */
export function problemOf(response: Response, text: string): Problem {
  try {
    const body: unknown = JSON.parse(text);
    if (typeof body === "object" && body !== null && "code" in body && "error" in body) {
      const details = "details" in body && typeof body.details === "object" ? body.details : null;
      return { code: String(body.code), message: String(body.error), details: { ...details } };
    }
  } catch {
    // Not JSON: a proxy's page, most likely.
  }
  const said = text
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ")
    .trim()
    .slice(0, 200);
  return { code: "", message: said || response.statusText || "no explanation", details: {} };
}
