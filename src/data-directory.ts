/** The directory that holds all state of one server, and the lock on it. */
export interface DataDirectory {
  /** Absolute. */
  readonly path: string;
  /** 32 bytes: given by configuration, or made on first start and kept in `secret.key`. */
  readonly secretKey: Uint8Array;
  /** Gives the lock back. */
  close(): void;
}

import { AppError } from "./shared/errors.ts";

/**
 * Creates the directory when it is missing and locks it for this process. The lock dies with the process.
 * @param secretKey the configured key; null: read or made in `secret.key`
 * @throws AppError `data_directory_in_use` naming the process that has it; `invalid_secret_key` for a malformed file
 */
export function openDataDirectory(_path: string, _secretKey: Uint8Array | null): Promise<DataDirectory> {
  return Promise.reject(new AppError(500, "not_built", "The data directory is being written."));
}
