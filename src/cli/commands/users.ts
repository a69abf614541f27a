import { Option, type Command } from "commander";
import { path, type Api } from "../client/api.ts";
import { theOne } from "../client/names.ts";
import { createPrompt } from "../client/prompt.ts";
import { openSession } from "../client/session.ts";
import { CommandError } from "../command-error.ts";

interface User {
  readonly id: string;
  readonly username: string;
}

const COLUMNS = ["username!", "instance_role", "is_active", "email", "last_login_at", "created_at?", "id?"];

/** `picloud users`: who may use this PiCloud. */
export function define(command: Command): void {
  command
    .command("ls")
    .description("list the users")
    .action(async (_flags: object, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(COLUMNS, await api.get<readonly User[]>("/admins"));
    });
  command
    .command("create <username>")
    .description("create a user; the password is asked for, or read from stdin")
    .addOption(
      new Option("--role <role>", "what they may do").choices(["owner", "admin", "member"]).default("member"),
    )
    .option("--email <address>", "their e-mail address")
    .action(async (username: string, flags: { role: string; email?: string }, self: Command) => {
      const { api, print } = openSession(self);
      const { role: instance_role, email } = flags;
      const password = await newPassword(username);
      print.one(
        await api.post<User>("/admins", {
          username,
          password,
          instance_role,
          ...(email !== undefined && { email }),
        }),
      );
    });
  command
    .command("delete <user>")
    .alias("rm")
    .description("delete a user, by name or id")
    .action(async (name: string, _flags: object, self: Command) => {
      const { api, print } = openSession(self);
      const user = await userNamed(api, name);
      await api.remove(path`/admins/${user.id}`);
      print.note(`Deleted the user ${user.username}.`);
    });
  command
    .command("reset-password <user>")
    .description("set a user's password; it is asked for, or read from stdin")
    .action(async (name: string, _flags: object, self: Command) => {
      const { api, print } = openSession(self);
      const user = await userNamed(api, name);
      await api.patch<User>(path`/admins/${user.id}`, { password: await newPassword(user.username) });
      print.note(`Changed the password of ${user.username}.`);
    });
}

const userNamed = async (api: Api, name: string): Promise<User> =>
  theOne(await api.get<readonly User[]>("/admins"), name, ({ username }) => username, "user");

async function newPassword(username: string): Promise<string> {
  const prompt = createPrompt();
  const password = await prompt.askSecret(`New password for ${username}: `);
  if (prompt.isTerminal && (await prompt.askSecret("Once more: ")) !== password) {
    throw new CommandError("The two passwords differ; nothing was changed.");
  }
  return password;
}
