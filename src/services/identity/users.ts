import type { Database } from "../../database/client.ts";
import { invalid, unauthorized } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import type { InstanceRole, Principal } from "../../shared/principal.ts";
import { recordAudit, type Actor } from "../audit/index.ts";
import { demandInstance } from "./capabilities.ts";
import { hashPassword } from "./passwords.ts";
import { expireKeysOf } from "./key-queries.ts";
import { adminDTO } from "./model.ts";
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
    who: Actor,
    input: UserInput & { readonly username: string; readonly password: string },
  ): Promise<User>;
  update(who: Actor, id: string, input: UserInput): Promise<User>;
  remove(who: Actor, id: string): Promise<void>;
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
      const passwordHash = await hashPassword(input.password);
      return db.begin(async (sql) => {
        const acting = currently(who, await lockUsers(sql));
        demandInstance(acting, "InstanceManageUsers");
        if (instanceRole === "owner" && acting.instanceRole !== "owner") throw escalation();
        const user = await insertUser(sql, {
          id: newId(),
          username: input.username,
          passwordHash,
          instanceRole,
          email: input.email ?? null,
        });
        await recordAudit(sql, who, {
          action: "user.create",
          appId: null,
          target: target(user),
          after: adminDTO(user),
        });
        return user;
      });
    },
    async update(who, id, input) {
      // A key must not be able to take its owner's account over.
      const isOwn = who.userId === id && who.key === null;
      const isManaging = !isOwn || input.instance_role !== undefined || input.is_active !== undefined;
      if (isManaging) demandInstance(who, "InstanceManageUsers");
      const password_hash = input.password === undefined ? undefined : await hashPassword(input.password);
      const user = await db.begin(async (sql) => {
        const users = await lockUsers(sql);
        const acting = currently(who, users);
        if (isManaging) demandInstance(acting, "InstanceManageUsers");
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
          acting.instanceRole !== "owner" &&
          (before.instance_role === "owner" || after.instance_role === "owner")
        ) {
          throw escalation();
        }
        checkOwnerRemains(users, before, after);
        const saved = await replaceUser(sql, after);
        if (password_hash !== undefined || !after.is_active) await deleteSessionsOf(sql, id);
        if (!after.is_active) await expireKeysOf(sql, id);
        await recordAudit(sql, who, {
          action: "user.update",
          appId: null,
          target: target(saved),
          before: adminDTO(before),
          after: adminDTO(saved),
          changed: password_hash === undefined ? [] : ["password"],
        });
        return saved;
      });
      if (password_hash !== undefined) await passwordChanged(user);
      return user;
    },
    async remove(who, id) {
      demandInstance(who, "InstanceManageUsers");
      await db.begin(async (sql) => {
        const users = await lockUsers(sql);
        const acting = currently(who, users);
        demandInstance(acting, "InstanceManageUsers");
        const user = users.find((row) => row.id === id);
        if (user === undefined) throw userNotFound();
        if (user.instance_role === "owner" && acting.instanceRole !== "owner") throw escalation();
        checkOwnerRemains(users, user, null);
        await deleteUser(sql, id);
        await recordAudit(sql, who, {
          action: "user.delete",
          appId: null,
          target: target(user),
          before: adminDTO(user),
        });
      });
    },
  };
}

/** The caller as the locked table knows them: the role may have been another one when the request came in. */
function currently(who: Actor, users: readonly User[]): Actor {
  const user = users.find((row) => row.id === who.userId);
  if (user === undefined || !user.is_active) throw unauthorized();
  return { ...who, instanceRole: user.instance_role };
}

const target = (user: User) => ({ kind: "user", id: user.id, name: user.username });

const escalation = () => invalid("escalation", "Only an owner may create, change or remove an owner.");

function checkOwnerRemains(users: readonly User[], before: User, after: User | null): void {
  const isOwner = (user: User) => user.instance_role === "owner" && user.is_active;
  if (!isOwner(before) || (after !== null && isOwner(after))) return;
  if (users.some((user) => user.id !== before.id && isOwner(user))) return;
  throw invalid("last_owner", "This is the last active owner; make somebody else an owner first.");
}
