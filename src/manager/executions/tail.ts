import type { LogDTO } from "../../services/executions/index.ts";
import { AppError, unauthorized, unavailable } from "../../shared/errors.ts";
import { logger } from "../../shared/log.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { callerOf, principalOf } from "../http/caller.ts";
import type { TailQuery } from "./model.ts";
import { scriptOf } from "./service.ts";

/** Runs that may wait for a client that reads slowly. */
const BUFFER = 256;
/** Streams at once, in this process. */
const MAX_STREAMS = 200;

const utf8 = new TextEncoder();
const HELLO = utf8.encode(": connected\n\n");
const HEARTBEAT = utf8.encode(": still here\n\n");

/** Streams of runs as they end, as server-sent events. */
export interface Tails {
  /**
   * One event for each run of an app that ends in this process: its LogDTO as data, its id as the event's id. A client
   * that does not keep up gets the event `lagged`, one whose credential does not suffice any more the event `closed`
   * with a code, and the stream ends.
   * @throws AppError 401, 403, 404, 503
   */
  open(request: Request, app: string, query: TailQuery): Promise<Response>;
  /** Streams that are open. */
  count(): number;
  /** Ends all streams: PiCloud is stopping. */
  stop(): void;
}

/** @param heartbeatMs how often a comment is sent, which tells a dead connection, and the credential is looked at again */
export function createTails(
  context: Pick<ManagerContext, "db" | "identity" | "executions">,
  heartbeatMs: number,
): Tails {
  const streams = new Set<(last?: Uint8Array) => void>();
  const eventOf = rememberLast(runEvent);

  async function open(request: Request, app: string, query: TailQuery): Promise<Response> {
    const { id: appId } = await openApp(context, principalOf(request), app, "AppLogRead");
    const scriptId = query.script === undefined ? null : await scriptOf(context, appId, query.script);
    if (streams.size >= MAX_STREAMS) {
      throw unavailable("too_many_streams", `${MAX_STREAMS} streams are open already. Try again later.`, 30);
    }
    const isWanted = (run: LogDTO): boolean =>
      (scriptId === null || run.script_id === scriptId) &&
      (query.status === undefined || run.status === query.status);
    let end: (last?: Uint8Array) => void = () => {};
    const stream = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          controller.enqueue(HELLO);
          const unwatch = context.executions.watch(appId, (run) => {
            if (!isWanted(run)) return;
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(eventOf(run));
            else end(event("lagged", { code: "lagged" }));
          });
          const heartbeat = setInterval(() => {
            // A client that reads nothing needs no sign of life.
            if ((controller.desiredSize ?? 0) > 0) controller.enqueue(HEARTBEAT);
            void stillAllowed(request, appId).then((refusal) => {
              if (refusal !== null) end(event("closed", { code: refusal }));
            });
          }, heartbeatMs);
          end = (last) => {
            if (!streams.delete(end)) return;
            unwatch();
            clearInterval(heartbeat);
            if (last === undefined) return;
            controller.enqueue(last);
            controller.close();
          };
          streams.add(end);
        },
        cancel: () => end(),
      },
      new CountQueuingStrategy({ highWaterMark: BUFFER }),
    );
    request.signal.addEventListener("abort", () => end(), { once: true });
    return new Response(stream, {
      // Proxies must not collect it: nginx is told by its own header.
      headers: { "content-type": "text/event-stream", "x-accel-buffering": "no" },
    });
  }

  /** Null, or why not. */
  async function stillAllowed(request: Request, appId: string): Promise<string | null> {
    try {
      const authentication = await context.identity.authenticate(request.headers, callerOf(request).address);
      if (authentication === null) throw unauthorized();
      await openApp(context, authentication.principal, appId, "AppLogRead");
      return null;
    } catch (error) {
      // While the database is away nobody's rights are known to have ended.
      if (error instanceof AppError && error.status < 500 && error.status !== 429) return error.code;
      logger("manager").debug("cannot look at a credential again: {error}", { error });
      return null;
    }
  }

  return {
    open,
    count: () => streams.size,
    stop() {
      for (const end of streams) end(event("closed", { code: "stopping" }));
    },
  };
}

const runEvent = (run: LogDTO): Uint8Array => utf8.encode(`id: ${run.id}\ndata: ${JSON.stringify(run)}\n\n`);

const event = (name: string, data: unknown): Uint8Array =>
  utf8.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);

/** The same run goes to several clients, one after the other. */
function rememberLast<K extends object, V>(make: (key: K) => V): (key: K) => V {
  let last: { readonly key: K; readonly value: V } | null = null;
  return (key) => {
    if (last?.key !== key) last = { key, value: make(key) };
    return last.value;
  };
}
