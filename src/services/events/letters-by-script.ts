import type { Queryable } from "../../database/client.ts";
import { recordAudit } from "../audit/index.ts";
import type { RetryPolicy } from "./backoff.ts";
import { lockLetter, replayLetters, resolveLetter, type Resolution } from "./dead-letters.ts";

/** As whom a script deals with dead letters. */
export interface LetterManager {
  readonly appId: string;
  readonly scriptId: string;
  /** Null: nobody is signed in. */
  readonly userId: string | null;
  /** The API key that was shown. */
  readonly keyId: string | null;
  /** Of the run. */
  readonly depth: number;
}

/** Of letters whose trigger is gone. */
const RETRY: RetryPolicy = { maxAttempts: 3, backoff: "exponential", baseMs: 1000 };

/**
 * Replays or resolves a letter of the app, when who runs the script has AppDeadLetterManage by now: the database says so,
 * in the same transaction.
 * @returns what keeps it from that: `forbidden`, `unknown`, or how the letter was resolved already; null: it is done
 */
export async function dealWithLetter(
  sql: Queryable,
  manager: LetterManager,
  id: string,
  wish: "replay" | Resolution,
): Promise<"forbidden" | "unknown" | Resolution | null> {
  const { appId, scriptId, depth } = manager;
  const user = await userWhoMay(sql, manager);
  if (user === undefined) return "forbidden";
  const letter = await lockLetter(sql, appId, id);
  if (letter === undefined) return "unknown";
  if (letter.resolution !== null && letter.resolution !== "handler_failed") return letter.resolution;
  if (wish === "replay") await replayLetters(sql, appId, { id: letter.id }, RETRY, 1, depth + 1);
  else await resolveLetter(sql, appId, letter.id, wish);
  const key = manager.keyId === null ? null : { id: manager.keyId, scopes: [], appId: null };
  await recordAudit(
    sql,
    { userId: user.id, username: user.username, instanceRole: "member", key, requestId: null, address: null },
    {
      action: wish === "replay" ? "dead_letter.replay" : "dead_letter.resolve",
      appId,
      target: { kind: "dead_letter", id: letter.id, name: `${letter.source} ${letter.op}` },
      changed: ["resolution", `by the script ${scriptId}`],
    },
  );
  return null;
}

/** CONTRACT 2.4: an active app_admin; of a key, one that is good, has the scope `app:admin` and is not for another app. */
async function userWhoMay(
  sql: Queryable,
  { appId, userId, keyId }: LetterManager,
): Promise<{ readonly id: string; readonly username: string } | undefined> {
  if (userId === null) return undefined;
  const [user] = await sql<{ id: string; username: string }[]>`
    select u.id, u.username from users u
    where u.id = ${userId} and u.is_active
      and (u.instance_role <> 'member' or exists (
        select from app_members m where m.app_id = ${appId} and m.user_id = u.id and m.role = 'app_admin'))
      and (${keyId}::uuid is null or exists (
        select from api_keys k
        where k.id = ${keyId} and k.user_id = u.id and 'app:admin' = any (k.scopes)
          and (k.app_id is null or k.app_id = ${appId}) and (k.expires_at is null or k.expires_at > now())))`;
  return user;
}
