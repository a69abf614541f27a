// A Worker that connects to the target it is sent and answers with the database user.
import { connect } from "../../src/database/client.ts";
import type { ConnectionTarget } from "../../src/database/target.ts";

declare const self: Worker;

self.addEventListener("message", (event: MessageEvent<ConnectionTarget>) => {
  void answer(event.data);
});

async function answer(target: ConnectionTarget): Promise<void> {
  const db = connect(target, { max: 1, applicationName: "test-worker" });
  const [row] = await db`SELECT current_user AS user`;
  await db.end({ timeout: 1 });
  self.postMessage(row?.["user"]);
}
