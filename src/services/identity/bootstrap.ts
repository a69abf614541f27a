import type { Database } from "../../database/client.ts";
import { newId } from "../../shared/ids.ts";
import { hashPassword } from "./passwords.ts";
import { insertUser } from "./queries.ts";
import { randomPassword } from "./random-password.ts";
import type { Randomness } from "./sessions.ts";
import type { Credential } from "./logins.ts";

/**
 * Creates the first owner on an empty user table (CONTRACT 0.4); does nothing on any other. Two processes may start at
 * once: one of them creates it.
 * @param configured PICLOUD_ADMIN_USERNAME and _PASSWORD; null: an owner `admin` with a random password
 * @param keep stores a login that was made here, before it is committed: a crash in between must not lock anybody out
 * @returns the login when its password was made here and must be shown once; else null
 */
export async function bootstrap(
  db: Database,
  configured: Credential | null,
  keep: (login: Credential) => void = () => {},
  randomness?: Randomness,
): Promise<Credential | null> {
  const [before] = await db`select 1 from users limit 1`;
  if (before !== undefined) return null;
  const login = configured ?? { username: "admin", password: randomPassword(randomness) };
  const passwordHash = await hashPassword(login.password);
  const created = await db.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(hashtext('picloud first owner'))`;
    const [present] = await sql`select 1 from users limit 1`;
    if (present !== undefined) return false;
    await insertUser(sql, {
      id: newId(),
      username: login.username,
      passwordHash,
      instanceRole: "owner",
      email: null,
    });
    if (configured === null) keep(login);
    return true;
  });
  return created && configured === null ? login : null;
}
