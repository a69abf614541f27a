import { AppError } from "../../shared/errors.ts";
import type { ConnectionTarget } from "../target.ts";

export interface EmbeddedOptions {
  /** Absolute path of PiCloud's data directory; it must exist. The server lives under `<dataDir>/postgres`. */
  readonly dataDir: string;
  /** Told what is being done, in words for a terminal: "Unpacking PostgreSQL 18.4", … */
  readonly onProgress?: (text: string) => void;
}

/** A running embedded server. It is restarted by itself when it dies; `target` stays valid over that. */
export interface EmbeddedPostgres {
  readonly target: ConnectionTarget;
  /** The postmaster's process id; null while it is being restarted. */
  readonly pid: number | null;
  /** Called when the server ended without being asked to, before it is restarted. */
  onExit(callback: (reason: string) => void): void;
  /** Shuts the server down cleanly; open connections are cut. */
  stop(): Promise<void>;
}

/** Starts PostgreSQL in the data directory: unpacks it and creates the cluster when they are not there yet. */
export function startEmbedded(_options: EmbeddedOptions): Promise<EmbeddedPostgres> {
  return Promise.reject(new AppError(500, "not_built", "The embedded server is being written."));
}
