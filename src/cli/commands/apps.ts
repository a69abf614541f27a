import type { Command } from "commander";
import { path } from "../client/api.ts";
import { openSession } from "../client/session.ts";

interface App {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly paused: boolean;
  readonly paused_until: string | null;
}

/** `picloud apps`. */
export function define(command: Command): void {
  command
    .command("ls")
    .description("list the apps that you see")
    .action(async (_flags: object, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(
        ["slug!", "name", "description", "paused?", "updated_at?", "id?"],
        (await api.get<readonly App[]>("/apps")).map(shown),
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
    .command("pause <app>")
    .description("let nothing of an app run: requests get 503, events wait")
    .option("--until <time>", "when it resumes by itself, such as 2026-12-24T18:00:00Z")
    .action(async (app: string, { until }: { until?: string }, self: Command) => {
      const { api, print } = openSession(self);
      print.one(await api.post<App>(path`/apps/${app}:pause`, { ...(until !== undefined && { until }) }));
    });
  command
    .command("resume <app>")
    .description("end the pause of an app: what waited is delivered")
    .action(async (app: string, _flags: object, self: Command) => {
      const { api, print } = openSession(self);
      print.one(await api.post<App>(path`/apps/${app}:resume`, {}));
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

/** One column for both, which most apps leave empty. */
const shown = (app: App) => ({ ...app, paused: app.paused ? (app.paused_until ?? "until resumed") : "" });
