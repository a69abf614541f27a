import { createHash } from "node:crypto";
import type { Config } from "../../config.ts";
import type { Database } from "../../database/client.ts";
import { newId } from "../../shared/ids.ts";
import { insertDomain } from "../domains/queries.ts";
import { NEW_ROUTE } from "../routes/model.ts";
import { insertRoute } from "../routes/queries.ts";
import { insertScript, insertVersion } from "../scripts/queries.ts";
import { defaultSettings } from "../scripts/settings.ts";
import { DEFAULT_APP } from "./service.ts";

/** The first script of a fresh installation, at /hello. */
export const HELLO_WORLD = `// Answers at /hello. Change it, and the next request runs the new version:
//   curl -u USER -X PUT --data-binary @hello.rhai URL/api/v1/admin/apps/default/scripts/hello
let name = ctx.request.query.name ?? "World";

#{ message: \`Hello, \${name}!\` }
`;

/**
 * Makes sure that the app \`default\` exists. When it has to be made, it comes with a Hello World. Two processes may do
 * this at once.
 */
export async function seedDefaultApp(db: Database, config: Pick<Config, "limits">): Promise<void> {
  const [present] = await db`select 1 from apps where slug = ${DEFAULT_APP}`;
  if (present !== undefined) return;
  await db.begin(async (sql) => {
    const appId = newId();
    const scriptId = newId();
    const [made] = await sql`
      insert into apps (id, slug, name, description)
      values (${appId}, ${DEFAULT_APP}, 'Default', 'Answers for every host that no other app claims.')
      on conflict (slug) do nothing returning 1`;
    if (made === undefined) return;
    const settings = defaultSettings(config);
    await Promise.all([
      insertDomain(sql, {
        app_id: appId,
        id: newId(),
        pattern: "localhost",
        shape: "exact",
        shape_key: "localhost",
      }),
      insertScript(sql, {
        app_id: appId,
        id: scriptId,
        name: "hello",
        kind: "endpoint",
        description: "Hello World",
        direct_execute: "members",
        live_version: 1,
        last_version: 1,
      }),
      insertVersion(sql, {
        ...settings,
        app_id: appId,
        script_id: scriptId,
        version: 1,
        source: HELLO_WORLD,
        source_sha256: createHash("sha256").update(HELLO_WORLD).digest(),
        imports: [],
        links: { calls: [], exports: [] },
        author_id: null,
        message: "made at the first start",
      }),
      insertRoute(sql, {
        appId,
        id: newId(),
        scriptId,
        pattern: {
          hostKind: "any",
          host: "",
          hostParamName: null,
          pathKind: "exact",
          path: "/hello",
          method: null,
          dispatchMode: "sync",
        },
        settings: NEW_ROUTE,
      }),
    ]);
  });
}
