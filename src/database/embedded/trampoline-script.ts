// The trampoline as a program of its own, for running from source; the binary enters it through main.ts.
import { trampoline } from "./trampoline.ts";

trampoline(process.argv.slice(2));
