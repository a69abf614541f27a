/**
 * The one error class of the platform. Everything that a client may see is in `status`, `code`, the message and
 * `details`; the `cause` is private: it goes to the log, never into an answer.
 */
export class AppError extends Error {
  override readonly name = "AppError";
  /** Stable, machine-readable: `slug_taken`, `not_found`, … */
  readonly code: string;
  /** HTTP status. */
  readonly status: number;
  /** The machine part of the answer: the conflicting route, the line and column, … */
  readonly details: Readonly<Record<string, unknown>>;
  /** Extra response headers, such as Retry-After. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    message: string,
    options: {
      readonly details?: Readonly<Record<string, unknown>>;
      readonly headers?: Readonly<Record<string, string>>;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    this.code = code;
    this.details = options.details ?? {};
    this.headers = options.headers ?? {};
  }
}

type Options = ConstructorParameters<typeof AppError>[3];

/** 400: the request itself cannot be read (not JSON, a malformed escape). */
export const badRequest = (code: string, message: string, options?: Options) =>
  new AppError(400, code, message, options);

/** 401: no credential, or one that is not valid. */
export const unauthorized = (message = "Sign in first: send a bearer token or a username and password.") =>
  new AppError(401, "unauthorized", message, {
    headers: { "WWW-Authenticate": 'Basic realm="PiCloud", Bearer' },
  });

/** 403: a valid credential that lacks the capability. */
export const forbidden = (message: string, options?: Options) =>
  new AppError(403, "forbidden", message, options);

/** 404: missing, or not visible to this caller. The two are indistinguishable on purpose. */
export const notFound = (what: string) => new AppError(404, "not_found", `${what} not found.`);

/** 409: the wish collides with what exists. */
export const conflict = (code: string, message: string, options?: Options) =>
  new AppError(409, code, message, options);

/** 413: larger than the limit. */
export const tooLarge = (message: string, options?: Options) =>
  new AppError(413, "too_large", message, options);

/** 422: readable, but not acceptable. */
export const invalid = (code: string, message: string, options?: Options) =>
  new AppError(422, code, message, options);

/** 429: too many attempts; `retryAfterSeconds` tells when to come back. */
export const tooManyRequests = (message: string, retryAfterSeconds: number) =>
  new AppError(429, "too_many_requests", message, { headers: { "Retry-After": String(retryAfterSeconds) } });

/** 503: not now; `retryAfterSeconds` tells when to come back. */
export const unavailable = (code: string, message: string, retryAfterSeconds = 1, cause?: unknown) =>
  new AppError(503, code, message, { headers: { "Retry-After": String(retryAfterSeconds) }, cause });
