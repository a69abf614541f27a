#!/usr/bin/env bun
import { TRAMPOLINE, trampoline } from "./database/embedded/trampoline.ts";
import { runCommand } from "./cli/program.ts";

/** argv -> one command. The only file that ends the process. */
const args = process.argv.slice(2);
if (args[0] === TRAMPOLINE) trampoline(args.slice(1));
else process.exit(await runCommand(args));
