import { NotFoundError, ParseError, ValidationError } from "elysia";
import { toAppError } from "../../database/errors.ts";
import { AppError, badRequest } from "../../shared/errors.ts";
import { problemResponse } from "../../shared/problem.ts";
import { validationProblem } from "./validation.ts";

/** The answer to a request that failed, whatever was thrown. Nobody but the log learns of unknown errors. */
export function errorResponse(error: unknown, request: Request, requestId: string): Response {
  const known = clientError(error, request);
  const response = problemResponse(known ?? error, requestId);
  response.headers.set("Cache-Control", "no-store");
  // A browser would open its own login window over the dashboard's.
  const challenge = response.headers.get("WWW-Authenticate");
  const page = request.headers.get("sec-fetch-mode");
  if (challenge !== null && page !== null && page !== "navigate")
    response.headers.set("WWW-Authenticate", "Bearer");
  return response;
}

function clientError(error: unknown, request: Request): AppError | undefined {
  if (error instanceof ParseError) {
    return (
      toAppError(error.cause) ?? badRequest("malformed_body", "The body could not be read.", { cause: error })
    );
  }
  if (error instanceof ValidationError) {
    // An answer of our own that does not fit its schema is our fault, not the client's.
    return error.type === "response"
      ? undefined
      : validationProblem(error.type, error.all as readonly unknown[]);
  }
  if (error instanceof NotFoundError) return noSuchEndpoint(request);
  return toAppError(error);
}

/** 404 that tells which endpoint was asked for. */
export function noSuchEndpoint(request: Request): AppError {
  return new AppError(
    404,
    "not_found",
    `There is no endpoint ${request.method} ${pathOf(request.url).slice(0, 200)}.`,
  );
}

/** The path of a URL as received: neither decoded nor checked. */
export function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  if (start === -1) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end === -1 ? url.slice(start) : url.slice(start, start + end);
}
