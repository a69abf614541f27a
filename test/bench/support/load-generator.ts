/**
 * A closed-loop load generator, run as a process of its own: each connection sends its next request when the answer to
 * the last one is complete. Raw sockets, so that measuring costs less than what is measured.
 *
 * argv: a LoadRequest as JSON. stdout: a LoadResult as JSON.
 */
import type { LoadRequest, LoadResult } from "./load.ts";

const order = JSON.parse(process.argv[2] ?? "{}") as LoadRequest;
const url = new URL(order.url);
const message = Buffer.from(
  `GET ${url.pathname} HTTP/1.1\r\nHost: ${order.host ?? url.host}\r\nUser-Agent: picloud-bench\r\nAccept: */*\r\n\r\n`,
);
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const latencies: number[] = [];
const statuses: Record<string, number> = {};
let measuring = false;

/** The length of a complete response at the start of the bytes, or 0. */
function complete(bytes: Buffer): number {
  const head = bytes.indexOf(END_OF_HEAD);
  if (head === -1) return 0;
  const length = /content-length: *(\d+)/i.exec(bytes.toString("latin1", 0, head))?.[1] ?? "0";
  const total = head + 4 + Number(length);
  return bytes.length >= total ? total : 0;
}

await Promise.all(
  Array.from({ length: order.connections }, () => {
    let sentAt = 0;
    let partial: Buffer | null = null;
    return Bun.connect({
      hostname: url.hostname,
      port: Number(url.port),
      socket: {
        open(socket) {
          sentAt = performance.now();
          socket.write(message);
        },
        data(socket, chunk) {
          const bytes: Buffer = partial === null ? chunk : Buffer.concat([partial, chunk]);
          if (complete(bytes) === 0) {
            partial = Buffer.from(bytes);
            return;
          }
          partial = null;
          const now = performance.now();
          if (measuring) {
            latencies.push(now - sentAt);
            const status = bytes.toString("latin1", 9, 12);
            statuses[status] = (statuses[status] ?? 0) + 1;
          }
          sentAt = now;
          socket.write(message);
        },
      },
    });
  }),
);

await Bun.sleep(order.warmUpMs);
measuring = true;
const begun = performance.now();
await Bun.sleep(order.measureMs);
measuring = false;
const seconds = (performance.now() - begun) / 1000;
const sorted = Float64Array.from(latencies).sort();
const at = (share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
const result: LoadResult = {
  requestsPerSecond: sorted.length / seconds,
  p50: at(0.5),
  p95: at(0.95),
  p99: at(0.99),
  statuses,
};
console.log(JSON.stringify(result));
process.exit(0);
