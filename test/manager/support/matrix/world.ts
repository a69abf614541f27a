import { newId } from "../../../../src/shared/ids.ts";
import type { ControlPlane, Json } from "../control-plane.ts";

/** In every name of what belongs to `blog`, and nowhere else. */
export const MARK = "zq7x";

/** Real things of the app `blog`, one of each kind, for one request to work on. */
export interface World {
  /** Different in every world, so that two never get in each other's way. */
  readonly n: number;
  readonly app: string;
  readonly script: string;
  readonly scriptName: string;
  readonly route: string;
  readonly domain: string;
  /** A run of the script. */
  readonly execution: string;
  /** A document, of a collection that has the script's name, as a collection of kv with a key of that name too. */
  readonly doc: string;
  /** Calls the script. */
  readonly trigger: string;
  /** An unresolved dead letter of the script. */
  readonly letter: string;
  /** A user who is a member of the app. */
  readonly member: string;
  /** A user of the instance who is no member of anything. */
  readonly user: string;
  /** An API key of the user who asks. */
  readonly key: string;
}

let worlds = 0;

/**
 * Makes a world.
 * @param asker user id of who will ask
 * @param app id of another app than `blog`
 */
export async function makeWorld(plane: ControlPlane, asker: string | null, app = plane.blog): Promise<World> {
  const n = ++worlds;
  const scriptName = `${MARK}-${n}`;
  const ask = async (method: string, path: string, options: object): Promise<Json> => {
    const answer = await plane.call("owner", method, path, options);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return answer.json;
  };
  const deploy = (source: string, query: string) =>
    ask("PUT", `/apps/${app}/scripts/${scriptName}${query}`, { raw: source });
  const { script } = await deploy(`"${MARK} 1"`, `?route=/${MARK}/${n}`);
  await deploy(`"${MARK} 2"`, "");
  const [route] = await ask("GET", `/scripts/${script.id}/routes`, {});
  const domain = await ask("POST", `/apps/${app}/domains`, { body: { pattern: `${MARK}-${n}.example.com` } });
  // Of the same name, so that `{name}` is both.
  await ask("POST", `/apps/${app}/secrets`, { body: { name: scriptName, value: MARK } });
  await ask("PUT", `/apps/${app}/kv/${scriptName}/${scriptName}`, { body: MARK });
  const doc = await ask("POST", `/apps/${app}/docs/${scriptName}`, { body: { mark: MARK } });
  await ask("POST", `/apps/${app}/docs/${scriptName}/indexes`, { body: { field: "indexed" } });
  const [user, member] = [newId(), newId()];
  for (const [id, name] of [
    [user, "user"],
    [member, "member"],
  ] as const)
    await plane.db`insert into users (id, username, password_hash) values (${id}, ${`${name}-${n}`}, 'none')`;
  await plane.db`insert into app_members (app_id, user_id, role) values (${app}, ${member}, 'viewer')`;
  const execution = newId();
  await plane.db`insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind,
      status, duration_ms, response_summary, request, created_at)
    values (${app}, ${execution}, ${script.id}, 1, ${newId()}, ${execution}, 'http', 'success', 1, ${MARK},
      ${plane.db.json({ method: "GET", path: `/${MARK}`, query: "", headers: {} })}, now())`;
  const [trigger, letter] = [newId(), newId()];
  await plane.db`insert into triggers (app_id, id, script_id, kind, pattern, retry_max_attempts, retry_backoff, retry_base_ms)
    values (${app}, ${trigger}, ${script.id}, 'kv', ${MARK}, 3, 'constant', 1000)`;
  await plane.db`insert into dead_letters (app_id, id, original_event_id, source, op, trigger_id, script_id, payload,
      trigger_depth, root_execution_id, attempt_count, last_error)
    values (${app}, ${letter}, ${newId()}, 'kv', 'insert', ${trigger}, ${script.id}, ${plane.db.json({ [MARK]: 1 })}, 1,
      ${newId()}, 3, ${MARK})`;
  const key = newId();
  if (asker !== null)
    await plane.db`insert into api_keys (id, user_id, name, prefix, token_hmac, scopes)
      values (${key}, ${asker}, ${`key-${n}`}, 'AAAAAAAA', ${Buffer.from(key)}, ${["script:read"]})`;
  return {
    n,
    app,
    execution,
    script: script.id,
    scriptName,
    route: route.id,
    domain: domain.id,
    doc: doc.id,
    trigger,
    letter,
    member,
    user,
    key,
  };
}

/** A world of which nothing exists. */
export const phantomWorld = (): World => ({
  n: ++worlds,
  app: newId(),
  script: newId(),
  scriptName: "nothing",
  route: newId(),
  domain: newId(),
  execution: newId(),
  doc: newId(),
  trigger: newId(),
  letter: newId(),
  member: newId(),
  user: newId(),
  key: newId(),
});

/** Every id of what belongs to an app, whichever table it is in, but for those of users. */
export async function idsOf(plane: ControlPlane, app: string): Promise<string[]> {
  const { db } = plane;
  const tables = await db<{ name: string }[]>`
    select c.table_name as name from information_schema.columns c
    join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = 'public' and c.column_name = 'app_id' and t.table_type = 'BASE TABLE'`;
  const users = new Set((await db<{ id: string }[]>`select id from users`).map(({ id }) => id));
  const ids = new Set([app]);
  for (const { name } of tables) {
    const rows = await db<
      { row: string }[]
    >`select to_jsonb(t)::text as row from ${db(name)} t where app_id = ${app}`;
    for (const { row } of rows) {
      for (const [id] of row.matchAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g))
        if (!users.has(id)) ids.add(id);
    }
  }
  return [...ids];
}
