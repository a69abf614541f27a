import type { Command } from "commander";
import { path } from "../client/api.ts";
import { appCommand, type AppFlag } from "../client/options.ts";
import { createPrompt } from "../client/prompt.ts";
import { openSession } from "../client/session.ts";

interface Secret {
  readonly name: string;
  readonly updated_at: string;
}

const COLUMNS = ["name!", "updated_at!"];

/** `picloud secrets`: what an app's scripts may know and nobody else. Values go in and never come out. */
export function define(command: Command): void {
  appCommand(command, "ls", "list the names of an app's secrets").action(
    async (flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(COLUMNS, await api.get<readonly Secret[]>(path`/apps/${flags.app}/secrets`));
    },
  );
  appCommand(command, "set <name>", "set a secret; its value is asked for, or read from stdin")
    .option("--value <text>", "the value itself, which others on this machine can see while the command runs")
    .addHelpText("after", "\nOne line break at the end of stdin is not part of the value.")
    .action(async (name: string, flags: AppFlag & { readonly value?: string }, self: Command) => {
      const { api, print } = openSession(self);
      const value = flags.value ?? (await valueOf(name));
      print.rows(COLUMNS, [await api.post<Secret>(path`/apps/${flags.app}/secrets`, { name, value })]);
    });
  appCommand(command, "rm <name>", "delete a secret").action(
    async (name: string, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      await api.remove(path`/apps/${flags.app}/secrets/${name}`);
      print.note(`Deleted the secret ${name}.`);
    },
  );
}

async function valueOf(name: string): Promise<string> {
  const prompt = createPrompt();
  if (prompt.isTerminal) return prompt.askSecret(`Value of ${name}: `);
  return (await Bun.stdin.text()).replace(/\r?\n$/, "");
}
