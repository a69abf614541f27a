import { VERSIONS } from "../../shared/version.ts";
import { AppError } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import { problemResponse } from "../../shared/problem.ts";
import { demandMetrics } from "./access.ts";
import { waitingNow, writeEvents, type EventFigures } from "./events.ts";
import { Exposition, type Sample } from "./exposition.ts";
import { writeProcess } from "./process.ts";
import { RunMetrics, type EndedRun, type NamesOf } from "./runs.ts";

export interface MetricsDeps {
  /** The bearer token that a scrape must show; null: only this machine may ask. */
  readonly token: string | null;
  /** The client's address, behind trusted proxies. */
  readonly addressOf: (headers: Headers, peer: string) => string;
  readonly namesOf: NamesOf;
  /** Of the data plane; the last two since the start. */
  readonly stats: () => {
    readonly running: number;
    readonly waiting: number;
    readonly rejected: number;
    readonly rateLimited: number;
  };
  readonly slots: number;
  readonly events: EventFigures;
  /** Sent to the database since the start, by whatever there is. */
  readonly statements: () => number;
  /** Runs that the execution log has no row of, since the start. */
  readonly unlogged: () => number;
  /** Streams of events that clients have open. */
  readonly streams: () => number;
  /** Requests since the start, by what they were for. */
  readonly requests: () => Readonly<Record<string, number>>;
}

export interface Metrics {
  /** Counts a run that ended. */
  observe(run: EndedRun): void;
  /** Answers GET /metrics. Nothing is gathered at any other time. */
  handle(request: Request, origin: { readonly remoteAddress: string }): Promise<Response>;
}

export function createMetrics(deps: MetricsDeps): Metrics {
  const runs = new RunMetrics();

  async function render(): Promise<string> {
    const events = await waitingNow(deps.events);
    const out = new Exposition();
    const { running, waiting, rejected, rateLimited } = deps.stats();
    const { product, sdk, api } = VERSIONS;
    out.gauge("picloud_build_info", "The release, in labels.", [
      [{ version: product, sdk, api: String(api), bun: Bun.version }, 1],
    ]);
    out.counter(
      "picloud_http_requests_total",
      "Requests, by what they were for.",
      Object.entries(deps.requests()).map(([plane, count]): Sample => [{ plane }, count]),
    );
    runs.write(out, deps.namesOf);
    out.gauge("picloud_gate_slots", "Runs that there may be at once.", deps.slots);
    out.gauge("picloud_gate_in_use", "Slots in use.", running);
    out.gauge("picloud_gate_waiting", "Requests that wait for a slot.", waiting);
    out.counter("picloud_gate_rejected_total", "Requests refused for want of a slot.", rejected);
    out.counter("picloud_rate_limited_total", "Requests refused by the rate limit of a route.", rateLimited);
    out.counter(
      "picloud_executions_unlogged_total",
      "Runs that the execution log has no row of, because there were too many.",
      deps.unlogged(),
    );
    out.counter("picloud_db_statements_total", "Statements sent to the database.", deps.statements());
    out.gauge("picloud_sse_clients", "Streams of events that clients have open.", deps.streams());
    writeEvents(out, deps.events, events);
    out.gauge(
      "picloud_cron_lag_seconds",
      "How long after its time the last cron trigger was fired.",
      deps.events.cronLagMs() / 1000,
    );
    writeProcess(out);
    return out.toString();
  }

  return {
    observe: (run) => runs.observe(run),
    async handle(request, { remoteAddress }) {
      try {
        if (request.method !== "GET" && request.method !== "HEAD") {
          throw new AppError(405, "method_not_allowed", "Metrics are read with GET.", {
            headers: { Allow: "GET, HEAD" },
          });
        }
        demandMetrics(request, deps.addressOf(request.headers, remoteAddress), deps.token);
        const text = await render();
        return new Response(request.method === "HEAD" ? null : text, {
          headers: { "Content-Type": Exposition.CONTENT_TYPE, "Cache-Control": "no-store" },
        });
      } catch (error) {
        return problemResponse(error, newId());
      }
    },
  };
}
