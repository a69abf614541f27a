import type { Clock } from "../../shared/clock.ts";
import { tooManyRequests } from "../../shared/errors.ts";

/** Failures of one user from one address within WINDOW_MS, before further attempts are turned away. */
export const MAX_FAILURES = 5;
export const WINDOW_MS = 5 * 60_000;

/** Subjects remembered at most; beyond, the one that was touched longest ago is forgotten. */
const MAX_SUBJECTS = 10_000;

interface Subject {
  /** Moments of the latest failures, oldest first. */
  failures: number[];
  /** Attempts that are being verified now. They count, so that a burst cannot slip past the limit. */
  pending: number;
}

export interface Attempt {
  failed(): void;
  succeeded(): void;
  /** Neither: the verification itself broke down. */
  abandoned(): void;
}

export interface Throttle {
  /** Starts an attempt. @throws AppError 429 with Retry-After */
  begin(subject: string): Attempt;
}

/** Counts failed logins in memory. A restart forgets them, which costs an attacker more than it gives. */
export function createThrottle(clock: Clock): Throttle {
  const subjects = new Map<string, Subject>();

  const touch = (name: string): Subject => {
    const subject = subjects.get(name) ?? { failures: [], pending: 0 };
    subjects.delete(name);
    subjects.set(name, subject);
    if (subjects.size > MAX_SUBJECTS) {
      const [oldest] = subjects.keys();
      if (oldest !== undefined) subjects.delete(oldest);
    }
    return subject;
  };

  return {
    begin(name) {
      const now = clock.now();
      const subject = touch(name);
      subject.failures = subject.failures.filter((moment) => moment > now - WINDOW_MS);
      if (subject.failures.length + subject.pending >= MAX_FAILURES) {
        const oldest = subject.failures[0] ?? now;
        const seconds = Math.max(1, Math.ceil((oldest + WINDOW_MS - now) / 1000));
        throw tooManyRequests(
          "Too many failed logins for this user from this address. Wait, then try again.",
          seconds,
        );
      }
      subject.pending++;
      const end = () => {
        subject.pending--;
        if (subject.pending > 0 || subject.failures.length > 0) return;
        if (subjects.get(name) === subject) subjects.delete(name);
      };
      return {
        failed() {
          subject.failures.push(clock.now());
          end();
        },
        succeeded() {
          subject.failures = [];
          end();
        },
        abandoned: end,
      };
    },
  };
}
