import type { Queryable } from "../../database/client.ts";
import { toldBy, type RunOrigin } from "../../database/run-origin.ts";

/** Segments of letters, digits, `_` and `-`, joined by dots; at most 200 characters (CONTRACT Q19). */
const TOPIC = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;

export const isTopic = (text: string): boolean => text.length <= 200 && TOPIC.test(text);

/** Delivers a message to the triggers whose pattern means its topic. Nobody there is no error. @param message JSON text */
export async function publish(
  sql: Queryable,
  appId: string,
  topic: string,
  message: string,
  origin: RunOrigin = null,
): Promise<void> {
  await sql`
    select emit_event(${appId}::uuid, 'pubsub', 'publish', ${topic}, ${topic}, jsonb_build_object('pubsub',
      jsonb_build_object('topic', ${topic}::text, 'message', ${message}::text::jsonb,
        'published_at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))))
    where true ${toldBy(sql, origin)}`;
}
