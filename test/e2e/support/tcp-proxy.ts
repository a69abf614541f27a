import { connect, createServer, type Server, type Socket } from "node:net";
import { socketPath } from "../../../src/database/socket-path.ts";
import type { ConnectionTarget } from "../../../src/database/target.ts";

/** A TCP port in front of a test database, so that DATABASE_URL can name it and the network can be cut. */
export interface TcpProxy {
  readonly databaseUrl: string;
  /** Drops every connection and refuses new ones. */
  cut(): Promise<void>;
  restore(): Promise<void>;
  close(): Promise<void>;
}

export async function tcpProxy(target: ConnectionTarget): Promise<TcpProxy> {
  if (target.kind !== "socket") throw new Error("the test database is on a socket");
  const path = `${socketPath(target.directory)}`;
  const open = new Set<Socket>();
  let server: Server | null = null;

  const listen = (port: number): Promise<number> => {
    const fresh = createServer((client) => {
      const upstream = connect(path);
      for (const socket of [client, upstream]) {
        open.add(socket);
        socket.on("error", () => socket.destroy());
        socket.on("close", () => {
          open.delete(socket);
          client.destroy();
          upstream.destroy();
        });
      }
      client.pipe(upstream).pipe(client);
    });
    server = fresh;
    return new Promise((resolve, reject) => {
      fresh.on("error", reject);
      fresh.listen(port, "127.0.0.1", () => {
        const address = fresh.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
  };
  const cut = async (): Promise<void> => {
    const closing = server;
    server = null;
    const closed = new Promise<void>((resolve) =>
      closing === null ? resolve() : closing.close(() => resolve()),
    );
    for (const socket of open) socket.destroy();
    await closed;
  };

  const port = await listen(0);
  return {
    databaseUrl: `postgres://${target.user}@127.0.0.1:${port}/${target.database}`,
    cut,
    restore: async () => void (await listen(port)),
    close: cut,
  };
}
