import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketPath } from "../../../src/database/socket-path.ts";
import type { ConnectionTarget } from "../../../src/database/target.ts";

/** A socket before a server, whose connections are cut at a commit. */
export interface CommitCutter {
  readonly target: ConnectionTarget;
  /** `answer`: the next commit reaches the server, its answer nobody. `commit`: it does not reach the server. */
  cut: "answer" | "commit" | null;
  /** Connections that were cut. */
  readonly cuts: () => number;
  stop(): void;
}

export async function commitCutter(target: ConnectionTarget): Promise<CommitCutter> {
  if (target.kind !== "socket") throw new Error("the test database is on a socket");
  const directory = mkdtempSync(join(tmpdir(), "picloud-cut-"));
  let cuts = 0;
  const listener = createServer((client) => {
    const server = connect(socketPath(target.directory));
    // The driver prepares a statement once for each connection, under a name by which it is executed.
    let name: string | null = null;
    let isSent = false;
    client.on("data", (bytes: Buffer) => {
      name ??= /(\w+)\0commit\0/.exec(bytes.toString("latin1"))?.[1] ?? null;
      if (cutter.cut !== null && name !== null && bytes.includes(`\0${name}\0`)) {
        if (cutter.cut === "commit") {
          cutter.cut = null;
          cuts++;
          client.destroy();
          server.destroy();
          return;
        }
        isSent = true;
      }
      server.write(bytes);
    });
    server.on("data", (bytes: Buffer) => {
      if (!isSent) return void client.write(bytes);
      cutter.cut = null;
      cuts++;
      client.destroy();
      server.destroy();
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => listener.listen(socketPath(directory), resolve));
  const cutter: CommitCutter = {
    target: { ...target, directory },
    cut: null,
    cuts: () => cuts,
    stop() {
      listener.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return cutter;
}
