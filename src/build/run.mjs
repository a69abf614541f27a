// The one entry behind every npm script: `node src/build/run.mjs COMMAND [arguments]`. It brings the checkout into
// a state in which the command can work, then becomes that command. Plain JavaScript without dependencies, because
// it runs before there are any; on Node.js 20 and newer, and on Bun where there is no Node.js.
import { become } from "./become.mjs";
import { BUN, environmentWithCaches, setUp } from "./setup.mjs";

/** What each command needs to be set up, and the program that it then is. */
const COMMANDS = {
  start: { needs: ["dependencies", "postgres", "dashboard"], runs: ["src/main.ts", "serve"] },
  test: { needs: ["dependencies", "postgres", "dashboard"], runs: ["src/build/test.ts"] },
  build: { needs: ["dependencies", "postgres", "dashboard"], runs: ["src/build/binary.ts"] },
  bench: { needs: ["dependencies", "postgres", "dashboard"], runs: ["src/build/bench.ts"] },
  chaos: { needs: ["dependencies", "postgres", "dashboard"], runs: ["src/build/chaos.ts"] },
  conformance: { needs: ["dependencies"], runs: ["test/rhai/conformance.ts"] },
  lint: { needs: ["dependencies", "dashboard"], runs: ["src/build/lint.ts"] },
};

const [command = "", ...rest] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, command)) {
  console.error(`Unknown command "${command}". Use one of: ${Object.keys(COMMANDS).join(", ")}.`);
  process.exit(2);
}
const node = Number(process.versions.node.split(".")[0]);
if (node < 20) {
  console.error(`This is Node.js ${process.versions.node}. PiCloud needs version 20 or newer, or Bun.`);
  process.exit(1);
}
try {
  const { needs, runs } = COMMANDS[command];
  await setUp(needs);
  await become(BUN, [...runs, ...rest], environmentWithCaches());
} catch (error) {
  console.error(`\n${error.message}`);
  process.exit(1);
}
