import { connect } from "./client.ts";
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
  const db = connect(target, { max: 1, applicationName: options.applicationName, idleTimeoutSeconds: null });
  const names = Object.keys(options.channels);
  let listening = 0;
  try {
    for (const name of names) {
      const handle = options.channels[name];
      if (handle === undefined) continue;
      await db.listen(name, handle, () => {
        // The driver subscribes channel by channel, in order, after each reconnection.
        listening++;
        if (listening % names.length === 0) options.onReconnect();
      });
    }
  } catch (error) {
    await db.end({ timeout: 1 });
    throw error;
  }
  return { close: () => db.end({ timeout: 1 }) };
}
