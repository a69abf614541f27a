import { join } from "node:path";

export interface LoadRequest {
  readonly url: string;
  /** Instead of the URL's own. */
  readonly host?: string;
  readonly connections: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Latencies in milliseconds. */
export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly statuses: Readonly<Record<string, number>>;
}

/** Puts a server under load from a process of its own. */
export async function load(request: LoadRequest): Promise<LoadResult> {
  const child = Bun.spawn(
    [process.execPath, join(import.meta.dir, "load-generator.ts"), JSON.stringify(request)],
    {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    },
  );
  const output = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(`the load generator failed: ${output}`);
  return JSON.parse(output) as LoadResult;
}
