// `bun embedded-program.ts DATA_DIR`: holds the data directory and its server until SIGTERM.
import { openDataDirectory } from "../../src/data-directory.ts";
import { startEmbedded } from "../../src/database/embedded/index.ts";
import { AppError } from "../../src/shared/errors.ts";
import { say } from "./embedded-process.ts";

try {
  const directory = await openDataDirectory(process.argv[2] ?? "", null);
  const server = await startEmbedded({
    dataDir: directory.path,
    onProgress: (text) => say({ kind: "progress", text }),
  });
  process.on("SIGTERM", () => {
    void server.stop().then(() => process.exit(0));
  });
  say({ kind: "ready", postmasterPid: server.pid ?? 0, target: server.target });
} catch (error) {
  if (error instanceof AppError) say({ kind: "failed", code: error.code, message: error.message });
  else throw error;
}
