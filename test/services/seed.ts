import type { Database } from "../../src/database/client.ts";
import { parseRoute, type RouteInput } from "../../src/services/routes/index.ts";
import { newId } from "../../src/shared/ids.ts";

/** Rows as the control plane writes them, without the control plane. Every function announces the change. */
export function seed(db: Database) {
  const announce = (appId: string) =>
    db`update apps set catalog_version = catalog_version + 1 where id = ${appId}`;
  return {
    async app(slug: string): Promise<string> {
      const id = newId();
      await db`insert into apps (id, slug, name) values (${id}, ${slug}, ${slug})`;
      return id;
    },
    async domain(
      appId: string,
      pattern: string,
      shape: "exact" | "wildcard" | "parameterised",
    ): Promise<void> {
      const key = pattern.replace(/^\{\w+\}/, "{}");
      await db`insert into app_domains (app_id, id, pattern, shape, shape_key)
        values (${appId}, ${newId()}, ${pattern}, ${shape}, ${key})`;
      await announce(appId);
    },
    async script(
      appId: string,
      name: string,
      source: string,
      settings: {
        readonly kind?: "endpoint" | "module";
        readonly directExecute?: "members" | "public";
        readonly timeoutSeconds?: number;
        readonly memoryLimitMb?: number;
        readonly sandbox?: Readonly<Record<string, number>>;
      } = {},
    ): Promise<string> {
      const id = newId();
      await db`insert into scripts (app_id, id, name, kind, direct_execute)
        values (${appId}, ${id}, ${name}, ${settings.kind ?? "endpoint"}, ${settings.directExecute ?? "members"})`;
      await this.version(appId, id, source, settings);
      return id;
    },
    /** A new live version. */
    async version(
      appId: string,
      scriptId: string,
      source: string,
      settings: {
        readonly timeoutSeconds?: number;
        readonly memoryLimitMb?: number;
        readonly sandbox?: Readonly<Record<string, number>>;
      } = {},
    ): Promise<number> {
      const version = await db.begin(async (sql) => {
        const [row] = await sql<{ version: number }[]>`
          update scripts set last_version = last_version + 1, live_version = last_version + 1
          where app_id = ${appId} and id = ${scriptId} returning last_version as version`;
        if (row === undefined) throw new Error("no such script");
        await sql`insert into script_versions
            (app_id, script_id, version, source, source_sha256, timeout_seconds, memory_limit_mb, sandbox)
          values (${appId}, ${scriptId}, ${row.version}, ${source}, ${Buffer.alloc(32)},
            ${settings.timeoutSeconds ?? 30}, ${settings.memoryLimitMb ?? 64}, ${sql.json({ ...settings.sandbox })})`;
        return row.version;
      });
      await announce(appId);
      return version;
    },
    async route(appId: string, scriptId: string, input: RouteInput | string): Promise<string> {
      const id = newId();
      const route = parseRoute(typeof input === "string" ? { path: input } : input);
      await db`insert into routes (app_id, id, script_id, host_kind, host, host_param_name, path_kind, path, method, dispatch_mode)
        values (${appId}, ${id}, ${scriptId}, ${route.hostKind}, ${route.host}, ${route.hostParamName},
          ${route.pathKind}, ${route.path}, ${route.method}, ${route.dispatchMode})`;
      await announce(appId);
      return id;
    },
    announce,
  };
}
