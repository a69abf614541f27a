import { AppError } from "./errors.ts";
import { logger } from "./log.ts";

/**
 * An error as its client may see it: an RFC 9457 problem document that also carries the members `error` (equal to
 * `detail`), `code`, `details` and `request_id`. Anything but an AppError is masked: the client gets a general
 * sentence and the request id, the log gets the whole error under the same id.
 */
export function problemResponse(error: unknown, requestId: string): Response {
  const known = error instanceof AppError ? error : masked(error, requestId);
  if (known.status >= 500 && error === known && known.cause !== undefined) {
    logger("http").warning("{code}: {message}", {
      code: known.code,
      message: known.message,
      requestId,
      cause: known.cause,
    });
  }
  const body = {
    type: "about:blank",
    title: statusTitle(known.status),
    status: known.status,
    detail: known.message,
    error: known.message,
    code: known.code,
    details: known.details,
    request_id: requestId,
  };
  return new Response(JSON.stringify(body), {
    status: known.status,
    headers: { ...known.headers, "Content-Type": "application/problem+json", "X-Request-Id": requestId },
  });
}

function masked(error: unknown, requestId: string): AppError {
  logger("http").error("unexpected error: {error}", { error, requestId });
  return new AppError(
    500,
    "internal",
    "Something went wrong inside PiCloud. Its log has the details under this request id.",
  );
}

/** The name of an HTTP status (RFC 9110), of those that we answer with. */
export const statusTitle = (status: number): string => TITLES[status] ?? "Error";

const TITLES: Readonly<Record<number, string>> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  301: "Moved Permanently",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  412: "Precondition Failed",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
  507: "Insufficient Storage",
};
