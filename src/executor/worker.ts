/**
 * The entry of a worker thread: takes commands, makes the runs it can claim, posts their results. It knows one app at
 * a time, and nothing of a run survives it but compiled versions.
 */
import { Claims } from "./claims.ts";
import { HeapBoard } from "./heap-board.ts";
import { threadId } from "./priority.ts";
import type { Command, Greeting, Result, RunCommand } from "./protocol.ts";
import { LoadedModule, ScriptModules } from "./script-modules.ts";
import { ScriptHost, type LoadedScript } from "./script-host.ts";

/** Results wait at most this long for others of the same batch. */
const FLUSH_AFTER_MS = 1;

let host: ScriptHost | null = null;
let claims: Claims | null = null;
let appId = "";
const scripts = new Map<number, LoadedScript>();
const modulesByHandle = new Map<number, LoadedModule>();
const line: Command[] = [];
let working = false;
let results: Result[] = [];

/** To the main thread; see protocol.ts. */
const NOTICES = {
  expires: (at: number) => postMessage(JSON.stringify(at)),
  indexesChanged: () => postMessage(JSON.stringify("indexes")),
  eventsCaused: () => postMessage(JSON.stringify("events")),
};

addEventListener("message", ({ data }: MessageEvent<string | Greeting>) => {
  if (typeof data !== "string") {
    claims = new Claims(data.claims);
    host = new ScriptHost({ ...data, heaps: new HeapBoard(data.heaps) }, NOTICES);
    postMessage(String(threadId()));
    return;
  }
  for (const command of JSON.parse(data) as Command[]) line.push(command);
  if (!working) void work();
});

async function work(): Promise<void> {
  working = true;
  let flushed = performance.now();
  for (let next = line.shift(); next !== undefined; next = line.shift()) {
    const result = obey(next);
    if (result === undefined) continue;
    if (result instanceof Promise) {
      // Other threads' time: what is finished goes out before this one waits.
      flush();
      results.push(await result);
    } else results.push(result);
    const now = performance.now();
    if (now - flushed > FLUSH_AFTER_MS) {
      flush();
      flushed = now;
    }
  }
  flush();
  working = false;
}

function flush(): void {
  if (results.length === 0) return;
  postMessage(JSON.stringify(results));
  results = [];
}

function obey(command: Command): Result | Promise<Result> | undefined {
  if (host === null || claims === null) throw new Error("a command came before the greeting");
  switch (command[0]) {
    case "run":
      return claims.start(command[1]) ? run(host, command) : undefined;
    case "load": {
      const [, handle, source, scriptId, scriptName, limits, modules, endpoints] = command;
      const imports = new ScriptModules(
        modules.map(([name, module]) => [name, modulesByHandle.get(module)] as const),
        endpoints,
      );
      scripts.set(handle, { source, scriptId, scriptName, limits, imports, compiled: null });
      return undefined;
    }
    case "module":
      modulesByHandle.set(command[1], new LoadedModule(command[2]));
      return undefined;
    case "drop":
      scripts.delete(command[1]);
      modulesByHandle.delete(command[1]);
      return undefined;
    case "bind":
      scripts.clear();
      modulesByHandle.clear();
      appId = command[1];
      return undefined;
    case "check": {
      const [, ticket, source] = command;
      if (!claims.start(ticket)) return undefined;
      const begun = performance.now();
      const checked = host.check(source);
      return [ticket, performance.now() - begun, -1, checked];
    }
  }
}

function run(
  scriptHost: ScriptHost,
  [, ticket, handle, executionId, context, origin]: RunCommand,
): Result | Promise<Result> {
  const script = scripts.get(handle);
  if (script === undefined)
    return [ticket, 0, 0, { code: "internal", message: `no script has the handle ${handle}` }];
  return scriptHost.run(script, { ticket, appId, executionId, context, origin: origin ?? null });
}
