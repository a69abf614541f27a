import type { Command } from "commander";
import { path } from "../client/api.ts";
import { scriptNamed, scriptPath, type Script } from "../client/names.ts";
import { appCommand, type AppFlag } from "../client/options.ts";
import { openSession } from "../client/session.ts";
import { defineDeploy } from "./deploy.ts";
import { defineInvoke } from "./invoke.ts";
import { defineVersions } from "./versions.ts";

/** `picloud scripts`. */
export function define(command: Command): void {
  command
    .command("ls")
    .description("list scripts, of all apps that you see or of one")
    .option("--app <app>", "only this app's, by slug or id")
    .action(async (flags: { readonly app?: string }, self: Command) => {
      const { api, print } = openSession(self);
      const { app } = flags;
      const [scripts, apps] = await Promise.all([
        api.get<readonly Script[]>(
          app === undefined ? "/scripts?fields=summary" : path`/scripts?fields=summary&app=${app}`,
        ),
        api.get<readonly { readonly id: string; readonly slug: string }[]>("/apps"),
      ]);
      const slugs = new Map(apps.map(({ id, slug }) => [id, slug]));
      print.rows(
        ["app", "name!", "kind", "version", "description", "direct_execute?", "updated_at?", "id?"],
        scripts.map((script) => ({ ...script, app: slugs.get(script.app_id) ?? script.app_id })),
      );
    });
  appCommand(command, "show <script>", "show one script")
    .option("--source", "print its source and nothing else")
    .action(async (name: string, flags: AppFlag & { readonly source?: boolean }, self: Command) => {
      const { api, print } = openSession(self);
      const script = await scriptNamed(api, flags.app, name);
      if (flags.source === true) print.foreign(script.source);
      else print.one(script);
    });
  defineDeploy(command.command("deploy"));
  defineInvoke(command.command("invoke"));
  defineVersions(command.command("versions"));
  appCommand(command, "delete <script>", "delete a script with its routes, versions and log")
    .alias("rm")
    .option("--force", "also when other scripts import it")
    .action(async (name: string, flags: AppFlag & { readonly force?: boolean }, self: Command) => {
      const { api, print } = openSession(self);
      await api.remove(`${scriptPath(flags.app, name)}${flags.force === true ? "?force=true" : ""}`);
      print.note(`Deleted the script ${name}.`);
    });
}
