/** A stand-in for the worker whose script `die` takes the thread down, as a fault of the runtime would. */
import { Claims } from "../../../src/executor/claims.ts";
import type { Command, Greeting } from "../../../src/executor/protocol.ts";

let claims: Claims | null = null;
const sources = new Map<number, string>();

addEventListener("message", ({ data }: MessageEvent<string | Greeting>) => {
  if (typeof data !== "string") {
    claims = new Claims(data.claims);
    postMessage("0");
    return;
  }
  for (const command of JSON.parse(data) as Command[]) {
    if (command[0] === "load") sources.set(command[1], command[2]);
    if (command[0] !== "run" || claims?.start(command[1]) !== true) continue;
    const source = sources.get(command[2]) ?? "";
    if (source === "die") throw new Error("the thread died");
    postMessage(JSON.stringify([1, [command[1], 0, 0, 200, 0, source]]));
  }
});
