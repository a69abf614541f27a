/** By what requests are counted together: the client's address, the caller, the value of a header, or the whole app. */
export type RateLimitKey = "ip" | "principal" | "app" | `header:${string}`;

/** How many requests a route takes within a window (CONTRACT 14.5). */
export interface RateLimit {
  readonly requests: number;
  readonly windowSeconds: number;
  /** A header's name is in lower case. */
  readonly key: RateLimitKey;
}
