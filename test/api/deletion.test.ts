import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { newId } from "../../src/shared/ids.ts";
import { startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

/** Tables that hold something of the app `doomed`, and how many rows. The audit log outlives what it tells of. */
async function rowsOf(appId: string): Promise<Record<string, number>> {
  const tables = await plane.db<{ name: string }[]>`
    select table_name as name from information_schema.columns
    where table_schema = 'public' and column_name = 'app_id' and table_name <> 'audit_log' order by 1`;
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const [row] = await plane.db<{ count: number }[]>`
      select count(*)::int as count from ${plane.db(name)} where app_id = ${appId}`;
    if (row !== undefined && row.count > 0) counts[name] = row.count;
  }
  return counts;
}

let appId = "";
let scriptId = "";
let routeId = "";
let keptId = "";

beforeEach(async () => {
  const { db, call, users } = plane;
  await db`delete from apps where slug like 'doomed%'`;
  appId = (await call("owner", "POST", "/apps", { body: { slug: "doomed-before", name: "Doomed" } })).json.id;
  await call("owner", "PATCH", `/apps/${appId}`, { body: { slug: "doomed" } });
  scriptId = (await call("owner", "PUT", "/apps/doomed/scripts/gone?route=/gone", { raw: "1" })).json.script
    .id;
  keptId = (await call("owner", "PUT", "/apps/doomed/scripts/kept?route=/kept", { raw: "2" })).json.script.id;
  await call("owner", "PUT", "/apps/doomed/scripts/gone?activate=false", { raw: "3" });
  const routes = await call("owner", "GET", `/scripts/${scriptId}/routes`);
  routeId = routes.json[0].id;
  const keptRoute = (await call("owner", "GET", `/scripts/${keptId}/routes`)).json[0].id;
  await call("owner", "POST", "/apps/doomed/domains", { body: { pattern: `d${Date.now()}.test` } });
  await call("owner", "POST", "/apps/doomed/members", {
    body: { user_id: users["outsider"], role: "viewer" },
  });
  await call("owner", "POST", "/api-keys", {
    body: { name: "bound", scopes: ["script:read"], app_id: appId },
  });
  await call("owner", "POST", "/apps/doomed/secrets", { body: { name: "token", value: "hidden" } });
  for (const id of [scriptId, keptId]) {
    const run = newId();
    await db`
      insert into executions (app_id, id, script_id, version, request_id, root_execution_id, trigger_kind, status,
        duration_ms, created_at)
      values (${appId}, ${run}, ${id}, 1, ${run}, ${run}, 'http', 'success', 1, now())`;
    await db`insert into execution_drops (app_id, script_id, minute, dropped) values (${appId}, ${id}, now(), 1)`;
  }
  for (const scope of [scriptId, routeId, keptId, keptRoute]) {
    await db`
      insert into idempotency_keys (app_id, scope_id, key, request_sha256, execution_id)
      values (${appId}, ${scope}, 'once', '\\x00', ${newId()})`;
  }
});

/** What is there before anything is deleted. */
const WHOLE = {
  api_keys: 1,
  app_domains: 1,
  app_keys: 1,
  app_members: 1,
  app_slug_history: 1,
  execution_drops: 2,
  executions: 2,
  idempotency_keys: 4,
  routes: 2,
  script_versions: 3,
  scripts: 2,
  secrets: 1,
};

test("a deleted script takes its versions, routes, runs and kept answers along, and nothing of others", async () => {
  expect(await rowsOf(appId)).toMatchObject(WHOLE);
  expect((await plane.call("owner", "DELETE", `/scripts/${scriptId}`)).status).toBe(204);
  expect(await rowsOf(appId)).toMatchObject({
    ...WHOLE,
    execution_drops: 1,
    executions: 1,
    idempotency_keys: 2,
    routes: 1,
    script_versions: 1,
    scripts: 1,
  });
  expect(plane.catalog.script(scriptId)).toBeUndefined();
  expect(plane.catalog.route(appId, "GET", "any.test", "/gone")).toBeNull();
  expect(plane.catalog.script(keptId)).toMatchObject({ name: "kept" });
});

test("a deleted route takes its kept answers along", async () => {
  expect((await plane.call("owner", "DELETE", `/routes/${routeId}`)).status).toBe(204);
  expect(await rowsOf(appId)).toMatchObject({ ...WHOLE, routes: 1, idempotency_keys: 3 });
});

test("a deleted app takes everything along, in whatever table", async () => {
  expect((await plane.call("owner", "DELETE", "/apps/doomed")).status).toBe(409);
  expect(await rowsOf(appId)).toMatchObject(WHOLE);
  expect((await plane.call("owner", "DELETE", "/apps/doomed?force=true")).status).toBe(204);
  expect(await rowsOf(appId)).toEqual({});
  expect(plane.catalog.app(appId)).toBeUndefined();
});

test.each(["script", "app"])("a deletion of the %s that fails half-way deletes nothing", async (what) => {
  await plane.db.unsafe(
    "create trigger half_way before delete on execution_drops for each row execute function refuse_update()",
  );
  try {
    const path = what === "app" ? "/apps/doomed?force=true" : `/scripts/${scriptId}`;
    const answer = await plane.call("owner", "DELETE", path);
    expect(answer.status).toBe(500);
    expect(await rowsOf(appId)).toMatchObject(WHOLE);
    expect((await plane.call("owner", "GET", `/scripts/${scriptId}`)).status).toBe(200);
    const [audited] = await plane.db`
      select 1 from audit_log where app_id = ${appId} and action in ('script.delete', 'app.delete')`;
    expect(audited).toBeUndefined();
  } finally {
    await plane.db`drop trigger half_way on execution_drops`;
  }
});
