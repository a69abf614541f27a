import type { Command } from "commander";
import { openSession } from "../client/session.ts";

/** The answer of `GET /auth/me`. */
export interface Me {
  readonly id: string;
  readonly username: string;
  readonly instance_role: "owner" | "admin" | "member";
  readonly email: string | null;
}

const ROLES: Readonly<Record<Me["instance_role"], string>> = {
  owner: "may do everything",
  admin: "manages apps and users",
  member: "works in the apps that they were invited to",
};

/** `picloud whoami`: asks the server who the kept token belongs to. */
export function define(command: Command): void {
  command.action(async (_flags: object, self: Command) => {
    const { api, print } = openSession(self);
    const me = await api.get<Me>("/auth/me");
    print.one({
      url: api.url,
      username: me.username,
      role: me.instance_role,
      role_label: ROLES[me.instance_role] ?? "",
      email: me.email,
      id: me.id,
    });
  });
}
