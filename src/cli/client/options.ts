import { InvalidArgumentError, type Command } from "commander";
import type { GlobalFlags } from "./session.ts";

export interface AppFlag extends GlobalFlags {
  /** Id or slug. */
  readonly app: string;
}

/** A subcommand with the option `--app`: names of scripts are looked up there. */
export const appCommand = (parent: Command, usage: string, description: string): Command =>
  parent.command(usage).description(description).option("--app <app>", "the app, by slug or id", "default");

/** Options that may be given more than once. */
export const collect = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];

/** A whole number of at least 1. */
export function count(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError("It must be a whole number above 0.");
  return Number(text);
}
