import type { Command } from "commander";
import { bash } from "./bash.ts";
import { fish } from "./fish.ts";
import { placesOf } from "./tree.ts";
import { zsh } from "./zsh.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

const SCRIPTS = { bash, zsh, fish };

/** What makes a shell complete the commands, options and choices of a program. */
export const completions = (program: Command, shell: Shell): string => SCRIPTS[shell](placesOf(program));
