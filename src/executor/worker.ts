/**
 * The entry of a worker thread: takes commands, makes the runs it can claim, posts their results. A run that waits for
 * something leaves the thread to others of its app. It knows one app at a time, and nothing of a run survives it but
 * compiled versions.
 */
import { countStatementsIn } from "../database/statements.ts";
import { Claims } from "./claims.ts";
import { HeapBoard } from "./heap-board.ts";
import { threadId } from "./priority.ts";
import type { Command, Greeting, Result, RunCommand, WorkerMessage } from "./protocol.ts";
import { LoadedModule, ScriptModules } from "./script-modules.ts";
import { ScriptHost, type LoadedScript } from "./script-host.ts";
import { Turns } from "./turns.ts";

/** Results wait at most this long for others of the same batch. */
const FLUSH_AFTER_MS = 1;

let host: ScriptHost | null = null;
let claims: Claims | null = null;
let turns: Turns | null = null;
let appId = "";
const scripts = new Map<number, LoadedScript>();
const modulesByHandle = new Map<number, LoadedModule>();
const line: Command[] = [];
let results: Result[] = [];
/** Whether the main thread has been told that all it posted was begun. */
let isThrough = true;
/** When the first of the results came. */
let oldest = 0;
/** Whether what there is will be posted at the end of this turn of the event loop. */
let willFlush = false;

/** To the main thread; see protocol.ts. */
const NOTICES = {
  expires: (at: number) => postMessage(JSON.stringify(at)),
  indexesChanged: () => postMessage(JSON.stringify("indexes")),
  eventsCaused: () => postMessage(JSON.stringify("events")),
};

addEventListener("message", ({ data }: MessageEvent<string | Greeting>) => {
  if (typeof data !== "string") {
    countStatementsIn(data.statements);
    claims = new Claims(data.claims);
    turns = new Turns(claims, work, () => post([isThrough ? 1 : 0]));
    host = new ScriptHost({ ...data, heaps: new HeapBoard(data.heaps) }, NOTICES, turns);
    postMessage(String(threadId()));
    return;
  }
  for (const command of JSON.parse(data) as Command[]) line.push(command);
  isThrough = false;
  work();
});

/** Goes on while the thread is free: with runs that have waited first, so that they end before others begin. */
function work(): void {
  if (turns === null) return;
  for (;;) {
    if (results.length > 0 && performance.now() - oldest > FLUSH_AFTER_MS) flush();
    if (turns.isTaken || turns.grantNext()) return;
    const next = line.shift();
    if (next === undefined) break;
    const result = obey(next);
    if (result instanceof Promise) void result.then(ended);
    else if (result !== undefined) keep(result);
  }
  if (turns.underWay.size === 0) flush();
  else flushSoon();
}

/** A run that had waited has ended. */
function ended(result: Result): void {
  keep(result);
  work();
}

function keep(result: Result): void {
  if (results.length === 0) oldest = performance.now();
  results.push(result);
}

/**
 * Answers of the database come several at a time, and so the ends of runs that waited for them: posting each by itself would
 * cost more than the rest of such a run.
 */
function flushSoon(): void {
  if (willFlush) return;
  willFlush = true;
  setImmediate(() => {
    willFlush = false;
    flush();
  });
}

function flush(): void {
  if (results.length === 0 && (isThrough || line.length > 0)) return;
  isThrough = line.length === 0;
  post([isThrough ? 1 : 0, ...results]);
  results = [];
  turns?.mark();
}

const post = (message: WorkerMessage): void => postMessage(JSON.stringify(message));

function obey(command: Command): Result | Promise<Result> | undefined {
  if (host === null || claims === null || turns === null)
    throw new Error("a command came before the greeting");
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
      const turn = turns.begin(ticket, 0);
      const checked = host.check(source);
      turns.end(turn);
      return [ticket, turn.busyMs, -1, checked];
    }
  }
}

function run(
  scriptHost: ScriptHost,
  [, ticket, handle, executionId, context, origin, delivery]: RunCommand,
): Result | Promise<Result> {
  const script = scripts.get(handle);
  if (script === undefined)
    return [ticket, 0, 0, { code: "internal", message: `no script has the handle ${handle}` }];
  return scriptHost.run(script, {
    ticket,
    appId,
    executionId,
    context,
    origin: origin ?? null,
    delivery: delivery === undefined ? null : { appId, id: delivery[0], attempt: delivery[1] },
  });
}
