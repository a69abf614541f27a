import { mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketPath } from "../../src/database/socket-path.ts";
import type { ConnectionTarget } from "../../src/database/target.ts";

/** A socket between clients and a server that counts what clients send. */
export interface CountingProxy {
  /** For clients that are to be counted. */
  readonly target: ConnectionTarget;
  /** Since the start. */
  readonly counts: {
    connections: number;
    /** Statements executed, prepared or not. */
    executed: number;
    /** Statements that the server had to parse. */
    parsed: number;
  };
  stop(): void;
}

const EXECUTE = "E".charCodeAt(0);
const QUERY = "Q".charCodeAt(0);
const PARSE = "P".charCodeAt(0);

/** Only for servers that are reached through a Unix socket. */
export async function countingProxy(target: ConnectionTarget): Promise<CountingProxy> {
  if (target.kind !== "socket") throw new Error("only a Unix socket is counted");
  const directory = mkdtempSync(join(tmpdir(), "picloud-count-"));
  const counts = { connections: 0, executed: 0, parsed: 0 };
  const listener = createServer((client) => {
    counts.connections++;
    const server = connect(socketPath(target.directory));
    client.on(
      "data",
      messageReader((type) => {
        if (type === EXECUTE || type === QUERY) counts.executed++;
        if (type === PARSE || type === QUERY) counts.parsed++;
      }),
    );
    client.pipe(server).pipe(client);
    client.on("error", () => server.destroy());
    server.on("error", () => client.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(socketPath(directory), resolve));
  return {
    target: { ...target, directory },
    counts,
    stop() {
      listener.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Told of the type of each message that a client sends; the first has none. */
function messageReader(onMessage: (type: number | undefined) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0);
  let isStarted = false;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    for (;;) {
      const lengthAt = isStarted ? 1 : 0;
      if (rest.length < lengthAt + 4) return;
      const end = lengthAt + rest.readInt32BE(lengthAt);
      if (rest.length < end) return;
      if (isStarted) onMessage(rest[0]);
      isStarted = true;
      rest = rest.subarray(end);
    }
  };
}
