import { unavailable } from "../../shared/errors.ts";

/**
 * Argon2id at the second of OWASP's recommended settings: 19 MiB, two passes. About 30 ms of one core of a PC, 150 ms
 * of a Raspberry Pi 4; Bun computes it off the main thread.
 */
const ARGON2 = { algorithm: "argon2id", memoryCost: 19_456, timeCost: 2 } as const;

/** Hashes computed at once: a flood of logins may take 40 MB, not all memory. */
const CONCURRENT = 2;
/** Attempts that wait for their turn; beyond, they are turned away. */
const MAX_WAITING = 64;

/** Of a random password that nobody knows: verifying against it costs as much as against a real user's hash. */
const NOBODY =
  "$argon2id$v=19$m=19456,t=2,p=1$QAtZZ2cI69+jvSaDs1ij6OYO9egqZnxvyjLtAwVSsUU$NJPTCbTR0bkhDL7bcAkdM876WKzoVdFLvGWBSOUmyeI";

let running = 0;
const waiting: (() => void)[] = [];

/** @throws AppError 503 when too many passwords wait to be hashed */
export const hashPassword = (password: string): Promise<string> =>
  limited(() => Bun.password.hash(password, ARGON2));

/**
 * Whether a password fits a hash. With `hash` null (no such user) it takes the same time and answers false.
 * @throws AppError 503 when too many passwords wait to be verified
 */
export async function verifyPassword(password: string, hash: string | null): Promise<boolean> {
  // Bun refuses to hash an empty password; no user can have one, so any other text does.
  const fits = await limited(() => Bun.password.verify(password === "" ? " " : password, hash ?? NOBODY));
  return fits && hash !== null && password !== "";
}

async function limited<T>(work: () => Promise<T>): Promise<T> {
  if (running >= CONCURRENT) {
    if (waiting.length >= MAX_WAITING)
      throw unavailable("overloaded", "Too many logins at once. Try again shortly.", 2);
    // The one that ends hands its place over, so `running` does not change.
    await new Promise<void>((resolve) => waiting.push(resolve));
  } else {
    running++;
  }
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
