import type { Command } from "commander";
import { path } from "../client/api.ts";
import { openSession } from "../client/session.ts";

interface App {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
}

/** `picloud apps`. */
export function define(command: Command): void {
  command
    .command("ls")
    .description("list the apps that you see")
    .action(async (_flags: object, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(
        ["slug!", "name", "description", "updated_at?", "id?"],
        await api.get<readonly App[]>("/apps"),
      );
    });
  command
    .command("create <slug>")
    .description("create an app")
    .option("--name <name>", "what people call it (default: the slug)")
    .option("--description <text>", "what it is for")
    .action(async (slug: string, flags: { name?: string; description?: string }, self: Command) => {
      const { api, print } = openSession(self);
      const { name = slug, description } = flags;
      print.one(
        await api.post<App>("/apps", { slug, name, ...(description !== undefined && { description }) }),
      );
    });
  command
    .command("show <app>")
    .description("show one app, with your role in it")
    .action(async (app: string, _flags: object, self: Command) => {
      const { api, print } = openSession(self);
      print.one(await api.get<App>(path`/apps/${app}`));
    });
  command
    .command("delete <app>")
    .alias("rm")
    .description("delete an app and everything in it")
    .option("--force", "also when it still has scripts")
    .action(async (app: string, flags: { force?: boolean }, self: Command) => {
      const { api, print } = openSession(self);
      await api.remove(path`/apps/${app}?force=${String(flags.force ?? false)}`);
      print.note(`Deleted the app ${app}.`);
    });
}
