import type { Database } from "../../database/client.ts";
import { invalid } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import type { InstanceRole, Principal } from "../../shared/principal.ts";
import { demandInstance } from "./capabilities.ts";
import { hashPassword } from "./passwords.ts";
import { expireKeysOf } from "./key-queries.ts";
import {
  allUsers,
  deleteSessionsOf,
  deleteUser,
  insertUser,
  lockUsers,
  replaceUser,
  userById,
  type User,
} from "./queries.ts";
import { userNotFound } from "./service.ts";

export interface UserInput {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  readonly instance_role?: InstanceRole | undefined;
  readonly email?: string | null | undefined;
  readonly is_active?: boolean | undefined;
}

export interface Users {
  list(who: Principal): Promise<User[]>;
  read(who: Principal, id: string): Promise<User>;
  create(
    who: Principal,
    input: UserInput & { readonly username: string; readonly password: string },
  ): Promise<User>;
  update(who: Principal, id: string, input: UserInput): Promise<User>;
  remove(who: Principal, id: string): Promise<void>;
}

/**
 * The people who may use the control plane. Admins manage everybody but owners; anybody may change their own username,
 * password and e-mail address. There is always an active owner.
 * @param passwordChanged called after every committed change of a password
 */
export function createUsers(db: Database, passwordChanged: (user: User) => Promise<void>): Users {
  return {
    async list(who) {
      demandInstance(who, "InstanceManageUsers");
      return allUsers(db);
    },
    async read(who, id) {
      if (who.userId !== id) demandInstance(who, "InstanceManageUsers");
      const user = await userById(db, id);
      if (user === undefined) throw userNotFound();
      return user;
    },
    async create(who, input) {
      demandInstance(who, "InstanceManageUsers");
      const instanceRole = input.instance_role ?? "admin";
      if (instanceRole === "owner" && who.instanceRole !== "owner") throw escalation();
      const passwordHash = await hashPassword(input.password);
      return insertUser(db, {
        id: newId(),
        username: input.username,
        passwordHash,
        instanceRole,
        email: input.email ?? null,
      });
    },
    async update(who, id, input) {
      // A key must not be able to take its owner's account over.
      const self = who.userId === id && who.key === null;
      if (!self || input.instance_role !== undefined || input.is_active !== undefined) {
        demandInstance(who, "InstanceManageUsers");
      }
      const password_hash = input.password === undefined ? undefined : await hashPassword(input.password);
      const user = await db.begin(async (sql) => {
        const users = await lockUsers(sql);
        const before = users.find((row) => row.id === id);
        if (before === undefined) throw userNotFound();
        const after: User = {
          ...before,
          username: input.username ?? before.username,
          password_hash: password_hash ?? before.password_hash,
          instance_role: input.instance_role ?? before.instance_role,
          email: input.email === undefined ? before.email : input.email,
          is_active: input.is_active ?? before.is_active,
        };
        if (
          who.instanceRole !== "owner" &&
          (before.instance_role === "owner" || after.instance_role === "owner")
        ) {
          throw escalation();
        }
        checkOwnerRemains(users, before, after);
        const saved = await replaceUser(sql, after);
        if (password_hash !== undefined || !after.is_active) await deleteSessionsOf(sql, id);
        if (!after.is_active) await expireKeysOf(sql, id);
        return saved;
      });
      if (password_hash !== undefined) await passwordChanged(user);
      return user;
    },
    async remove(who, id) {
      demandInstance(who, "InstanceManageUsers");
      await db.begin(async (sql) => {
        const users = await lockUsers(sql);
        const user = users.find((row) => row.id === id);
        if (user === undefined) throw userNotFound();
        if (user.instance_role === "owner" && who.instanceRole !== "owner") throw escalation();
        checkOwnerRemains(users, user, null);
        await deleteUser(sql, id);
      });
    },
  };
}

const escalation = () => invalid("escalation", "Only an owner may create, change or remove an owner.");

function checkOwnerRemains(users: readonly User[], before: User, after: User | null): void {
  const isOwner = (user: User) => user.instance_role === "owner" && user.is_active;
  if (!isOwner(before) || (after !== null && isOwner(after))) return;
  if (users.some((user) => user.id !== before.id && isOwner(user))) return;
  throw invalid("last_owner", "This is the last active owner; make somebody else an owner first.");
}
