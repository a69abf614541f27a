import { afterAll, beforeAll } from "bun:test";
import { startApp, type App } from "../../../src/app.ts";
import { loadConfig } from "../../../src/config.ts";
import { removeDataDirectory, temporaryDirectory } from "../../support/test-server.ts";
import { folderWith, picloud, start, type Ended } from "./picloud.ts";

export const USERNAME = "admin";
export const PASSWORD = "correct horse battery";

/** A whole PiCloud, and somebody at a shell beside it. */
export interface Workplace {
  /** Address of the server. */
  readonly url: string;
  /** The folder that commands run in; the configuration directory is in it. */
  readonly folder: string;
  /** Runs a command of the client to its end, signed in as the owner. */
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** Starts a command as the owner. */
  start(args: readonly string[]): ReturnType<typeof start>;
  /** Likewise, as somebody who has not signed in. */
  runAnonymously(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** A call as the owner. @param path below /api/v1/admin */
  call(method: string, path: string, body?: unknown): Promise<Response>;
}

export interface RunOptions {
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: the workplace's. */
  readonly folder?: string;
}

/** Starts a server for a test file. Call at its top. @param files of the folder that commands run in */
export function workplace(files: Readonly<Record<string, string>> = {}): Workplace {
  const folder = folderWith(files);
  let app: App | undefined;
  let dataDir = "";
  beforeAll(async () => {
    dataDir = await temporaryDirectory();
    const environment = { PICLOUD_ADMIN_USERNAME: USERNAME, PICLOUD_ADMIN_PASSWORD: PASSWORD };
    app = await startApp(loadConfig({ listen: "127.0.0.1:0", dataDir }, environment, false), () => {});
    const signedIn = await picloud(folder, ["login", "--url", app.url, "--username", USERNAME], PASSWORD);
    if (signedIn.exit !== 0) throw new Error(signedIn.stderr);
  }, 120_000);
  afterAll(async () => {
    await app?.stop();
    await removeDataDirectory(dataDir);
  }, 60_000);

  const running = (): App => {
    if (app === undefined) throw new Error("the server is not running");
    return app;
  };
  return {
    folder,
    get url() {
      return running().url;
    },
    run: (args, options = {}) =>
      picloud(options.folder ?? folder, args, options.stdin, {
        XDG_CONFIG_HOME: `${folder}/config`,
        ...options.env,
      }),
    start: (args) => start(folder, args),
    runAnonymously: (args, options = {}) =>
      picloud(options.folder ?? folder, args, options.stdin, {
        XDG_CONFIG_HOME: `${folder}/nobody`,
        ...options.env,
      }),
    call: (method, path, body) =>
      fetch(`${running().url}/api/v1/admin${path}`, {
        method,
        headers: {
          Authorization: `Basic ${btoa(`${USERNAME}:${PASSWORD}`)}`,
          ...(body !== undefined && { "Content-Type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
  };
}
