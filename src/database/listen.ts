import { logger } from "../shared/log.ts";
import { backOffMs } from "./back-off.ts";
import { connectionLost } from "./errors.ts";
import { openPool, type Database } from "./pool.ts";
import type { ConnectionTarget } from "./target.ts";

export interface Listener {
  /** Closes the connection. */
  close(): Promise<void>;
}

export interface ListenOptions {
  readonly applicationName: string;
  /** What each channel calls with the notification's payload. */
  readonly channels: Readonly<Record<string, (payload: string) => void>>;
  /**
   * Called each time all channels are listened to, the first time included. NOTIFY is a hint: whatever happened while
   * the connection was away was not heard, so state must be read again here.
   */
  readonly onReconnect: () => void;
}

/**
 * Listens on one dedicated connection, which comes back by itself when it is lost.
 * @throws when the first connection cannot be made
 */
export async function listen(target: ConnectionTarget, options: ListenOptions): Promise<Listener> {
  let closed = false;
  const isClosed = () => closed;
  // All at once, so that there is one moment from which everything is heard.
  const statement = Object.keys(options.channels)
    .map((name) => `LISTEN "${name.replaceAll('"', '""')}"`)
    .join("; ");

  /** A connection of its own for each attempt: the driver's do not always recover. */
  const subscribe = async (): Promise<Database> => {
    let listening = false;
    const db = openPool(target, {
      max: 1,
      applicationName: options.applicationName,
      idleTimeoutSeconds: null,
      onNotify: (channel, payload) => options.channels[channel]?.(payload),
      onClose: () => {
        // A failed attempt to connect closes as well, and is seen by whoever made it.
        if (listening && !isClosed()) void comeBack();
        listening = false;
      },
    });
    try {
      await Promise.race([db.unsafe(statement), tooLate()]);
    } catch (error) {
      db.end({ timeout: 0 }).catch(() => {});
      throw error;
    }
    listening = true;
    options.onReconnect();
    return db;
  };
  const comeBack = async (): Promise<void> => {
    logger("database").warning("the listening connection was lost");
    current.end({ timeout: 0 }).catch(() => {});
    for (let attempt = 0; !isClosed(); attempt++) {
      try {
        current = await subscribe();
        return;
      } catch {
        await Bun.sleep(backOffMs(attempt));
      }
    }
  };

  let current = await subscribe();
  return {
    close: () => {
      closed = true;
      return current.end({ timeout: 1 });
    },
  };
}

/** What a LISTEN may take before the attempt counts as failed. */
const PATIENCE_MS = 10_000;

async function tooLate(): Promise<never> {
  await Bun.sleep(PATIENCE_MS);
  throw connectionLost();
}
