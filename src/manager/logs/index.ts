import { Type } from "@sinclair/typebox";
import { LogDTO, listLogs } from "../../services/executions/index.ts";
import type { ManagerContext } from "../context.ts";
import { principalOf } from "../http/caller.ts";
import { apiModule, problems } from "../http/module.ts";
import { openScript } from "../scripts/access.ts";
import { LogsQuery, ScriptPath } from "../scripts/model.ts";

export const logsModule = (context: ManagerContext) =>
  apiModule().get(
    "/scripts/:id/logs",
    async ({ request, params, query }) => {
      const script = await openScript(context, principalOf(request), params.id, "AppLogRead");
      return listLogs(context.db, script.app_id, script.id, query);
    },
    {
      params: ScriptPath,
      query: LogsQuery,
      detail: { summary: "Runs of a script, newest first", tags: ["executions"] },
      response: { 200: Type.Array(LogDTO), ...problems(401, 403, 404, 422) },
    },
  );
