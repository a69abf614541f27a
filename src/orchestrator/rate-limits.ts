import type { RateLimit, RateLimitKey } from "../services/routes/index.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError } from "../shared/errors.ts";

/** So many requests in any span of so many seconds. */
export type Rate = Pick<RateLimit, "requests" | "windowSeconds">;

/** Of an answer: the limit, what is left of it, and the seconds until more is free (RateLimit header fields, IETF draft 6). */
export type RateHeaders = Readonly<
  Record<"RateLimit-Limit" | "RateLimit-Remaining" | "RateLimit-Reset", string>
>;

/** Moments remembered at most, over all subjects (8 bytes each); beyond, the quietest subject is forgotten. */
const MAX_MOMENTS = 1_000_000;
const MAX_SUBJECTS = 100_000;

/** The moments of one subject's requests that were let through, oldest first; those before `first` are over. */
interface Subject {
  moments: number[];
  first: number;
  windowMs: number;
}

/**
 * Rate limits as sliding windows: exact, in this process's memory. Requests that are turned away do not count. Nothing
 * is swept by a timer: what is over goes when its subject, or a new one, comes by.
 */
export class RateLimits {
  readonly #clock: Clock;
  /** In the order of their last request. */
  readonly #subjects = new Map<string, Subject>();
  #moments = 0;
  #rejected = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Requests turned away since the start. */
  get rejected(): number {
    return this.#rejected;
  }

  /**
   * Counts one request of a subject, whoever that is: the caller's address on one route, say.
   * @throws AppError 429 `rate_limited` with Retry-After and RateLimit-*
   */
  take(name: string, rate: Rate): RateHeaders {
    return this.#count(name, rate).headers;
  }

  /**
   * Counts one request under several limits, or under none: what one of them turns away uses nothing up of another, so
   * that a caller who is over their own limit cannot exhaust the one that they share with others.
   * @returns the headers of the last one
   * @throws AppError 429 `rate_limited` with Retry-After and RateLimit-*, of the first that is exhausted
   */
  takeAll(limits: readonly { readonly name: string; readonly rate: Rate }[]): Partial<RateHeaders> {
    const counted: Subject[] = [];
    let last: Partial<RateHeaders> = {};
    try {
      for (const { name, rate } of limits) {
        const { subject, headers } = this.#count(name, rate);
        counted.push(subject);
        last = headers;
      }
      return last;
    } catch (error) {
      for (const subject of counted) if (subject.moments.pop() !== undefined) this.#moments--;
      throw error;
    }
  }

  #count(
    name: string,
    { requests, windowSeconds }: Rate,
  ): { readonly subject: Subject; readonly headers: RateHeaders } {
    const now = this.#clock.monotonic();
    const windowMs = windowSeconds * 1000;
    const subject = this.#touch(name, now, windowMs);
    this.#forget(subject, now - windowMs);
    const used = subject.moments.length - subject.first;
    if (used >= requests) {
      this.#rejected++;
      // The one that must be over before another may pass.
      const blocking = subject.moments[subject.moments.length - requests] ?? now;
      throw refuse({ requests, windowSeconds }, secondsUntil(blocking + windowMs, now));
    }
    subject.moments.push(now);
    this.#moments++;
    const oldest = subject.moments[subject.first] ?? now;
    const reset = secondsUntil(oldest + windowMs, now);
    return { subject, headers: headers(requests, requests - used - 1, reset) };
  }

  #touch(name: string, now: number, windowMs: number): Subject {
    let subject = this.#subjects.get(name);
    if (subject === undefined) {
      this.#makeRoom(now);
      subject = { moments: [], first: 0, windowMs };
    } else {
      this.#subjects.delete(name);
    }
    subject.windowMs = windowMs;
    this.#subjects.set(name, subject);
    return subject;
  }

  /** Drops subjects, the longest quiet first: those whose requests are all over, and more when there is no room left. */
  #makeRoom(now: number): void {
    for (const [name, subject] of this.#subjects) {
      const isOver = (subject.moments.at(-1) ?? 0) <= now - subject.windowMs;
      if (!isOver && this.#subjects.size < MAX_SUBJECTS && this.#moments < MAX_MOMENTS) return;
      this.#moments -= subject.moments.length - subject.first;
      this.#subjects.delete(name);
    }
  }

  #forget(subject: Subject, until: number): void {
    const before = subject.first;
    while (subject.first < subject.moments.length && (subject.moments[subject.first] ?? 0) <= until)
      subject.first++;
    this.#moments -= subject.first - before;
    if (subject.first > 64 && subject.first * 2 > subject.moments.length) {
      subject.moments = subject.moments.slice(subject.first);
      subject.first = 0;
    }
  }
}

/** Longest part of a header's value that tells subjects apart. */
const MAX_VALUE = 256;

/**
 * Whom a request counts against. Who sends no such header, or no credential, counts by address.
 * @param address the client's, behind trusted proxies
 */
export function subjectOf(
  key: RateLimitKey,
  caller: { readonly headers: Headers; readonly userId: string | null; readonly address: () => string },
): string {
  if (key === "app") return "";
  if (key === "principal" && caller.userId !== null) return `user ${caller.userId}`;
  const value = key.startsWith("header:") ? caller.headers.get(key.slice("header:".length)) : null;
  return value === null ? `ip ${caller.address()}` : `value ${value.slice(0, MAX_VALUE)}`;
}

const secondsUntil = (moment: number, now: number): number => Math.max(1, Math.ceil((moment - now) / 1000));

const headers = (limit: number, remaining: number, reset: number): RateHeaders => ({
  "RateLimit-Limit": String(limit),
  "RateLimit-Remaining": String(remaining),
  "RateLimit-Reset": String(reset),
});

function refuse({ requests, windowSeconds }: Rate, seconds: number): AppError {
  return new AppError(
    429,
    "rate_limited",
    `Too many requests: ${requests} are taken in ${windowSeconds} s. Try again in ${seconds} s.`,
    { headers: { "Retry-After": String(seconds), ...headers(requests, 0, seconds) } },
  );
}
