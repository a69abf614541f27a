import { Option, type Command } from "commander";
import { path } from "../client/api.ts";
import { theOne } from "../client/names.ts";
import { appCommand, type AppFlag } from "../client/options.ts";
import { openSession } from "../client/session.ts";

interface Person {
  readonly user_id: string;
  readonly username: string;
}

const COLUMNS = ["username!", "role", "email", "instance_role", "is_active", "created_at?", "user_id?"];

/** `picloud members`: who works in an app. */
export function define(command: Command): void {
  appCommand(command, "ls", "list the members of an app").action(async (flags: AppFlag, self: Command) => {
    const { api, print } = openSession(self);
    print.rows(COLUMNS, await api.get<readonly Person[]>(path`/apps/${flags.app}/members`));
  });
  appCommand(command, "add <user>", "let a user work in an app, or change their role in it")
    .addOption(
      new Option("--role <role>", "what they may do")
        .choices(["app_admin", "editor", "viewer"])
        .default("viewer"),
    )
    .action(async (name: string, flags: AppFlag & { readonly role: string }, self: Command) => {
      const { api, print } = openSession(self);
      const { app, role } = flags;
      const members = await api.get<readonly Person[]>(path`/apps/${app}/members`);
      const member = members.find((person) => person.username === name || person.user_id === name);
      if (member !== undefined) {
        print.rows(COLUMNS, [
          await api.patch<Person>(path`/apps/${app}/members/${member.user_id}`, { role }),
        ]);
        return;
      }
      const candidates = await api.get<readonly Person[]>(path`/apps/${app}/members:candidates?q=${name}`);
      const { id } = oneOf(candidates, name, "user who could become a member,");
      print.rows(COLUMNS, [await api.post<Person>(path`/apps/${app}/members`, { user_id: id, role })]);
    });
  appCommand(command, "rm <user>", "take a user out of an app").action(
    async (name: string, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      const { app } = flags;
      const members = await api.get<readonly Person[]>(path`/apps/${app}/members`);
      await api.remove(path`/apps/${app}/members/${oneOf(members, name, "member").id}`);
      print.note(`${name} is no member of ${app} any more.`);
    },
  );
}

const oneOf = (people: readonly Person[], name: string, what: string) =>
  theOne(
    people.map((person) => ({ ...person, id: person.user_id })),
    name,
    ({ username }) => username,
    what,
  );
