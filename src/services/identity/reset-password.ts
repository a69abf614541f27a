import { Value } from "@sinclair/typebox/value";
import type { Database } from "../../database/client.ts";
import { AppError, invalid } from "../../shared/errors.ts";
import { LOCAL_ACTOR, recordAudit } from "../audit/index.ts";
import { Password } from "./model.ts";
import { hashPassword } from "./passwords.ts";
import { deleteSessionsOf, setPassword, userByName, type User } from "./queries.ts";

/**
 * Gives a user a new password without asking for the old one, and closes their sessions: for whoever is at the machine
 * itself. Running servers notice with their next request.
 * @throws AppError 404 `user_not_found`, 422 `invalid_password`
 */
export async function resetPassword(db: Database, username: string, password: string): Promise<User> {
  if (!Value.Check(Password, password)) {
    throw invalid("invalid_password", `The password must have ${Password.description}.`);
  }
  const user = await userByName(db, username);
  if (user === undefined) throw await unknownUser(db, username);
  const hash = await hashPassword(password);
  return db.begin(async (sql) => {
    const changed = await setPassword(sql, user.id, hash);
    // Deleted in between.
    if (changed === undefined) throw await unknownUser(db, username);
    await deleteSessionsOf(sql, user.id);
    await recordAudit(sql, LOCAL_ACTOR, {
      action: "user.update",
      appId: null,
      target: { kind: "user", id: user.id, name: changed.username },
      changed: ["password"],
    });
    return changed;
  });
}

async function unknownUser(db: Database, username: string): Promise<AppError> {
  const owners = await db<{ username: string }[]>`
    select username from users where instance_role = 'owner' order by is_active desc, created_at limit 5`;
  const hint = owners.length === 0 ? "" : ` Owners: ${owners.map((row) => row.username).join(", ")}.`;
  return new AppError(404, "user_not_found", `There is no user "${username}".${hint}`);
}
