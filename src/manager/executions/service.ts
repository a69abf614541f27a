import { demand, type AppCapability } from "../../services/identity/index.ts";
import {
  findExecution,
  logDto,
  runsOfRoot,
  searchExecutions,
  type ExecutionDTO,
  type ExecutionFilter,
  type WholeExecution,
} from "../../services/executions/index.ts";
import { invalid, notFound } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { page, pageRequest } from "../http/cursor.ts";
import { parseInstant } from "../../shared/instant.ts";
import { isScriptName } from "../scripts/names.ts";
import { scriptById, scriptByName } from "../scripts/queries.ts";
import type { ExecutionsQuery } from "./model.ts";

/** @throws AppError 404, 403, 422 `invalid_cursor` or `validation` */
export async function listExecutions(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  app: string,
  query: ExecutionsQuery,
) {
  const { id: appId } = await openApp(context, who, app, "AppLogRead");
  const wanted = pageRequest(query);
  if (query.version !== undefined && query.script === undefined) {
    throw invalid("validation", "version: it is that of a script; name the script with `script` too.", {
      details: { field: "version" },
    });
  }
  const filter: ExecutionFilter = {
    scriptId: query.script === undefined ? undefined : await scriptOf(context, appId, query.script),
    status: query.status,
    triggerKind: query.trigger,
    version: query.version,
    from: instant("from", query.from),
    to: instant("to", query.to),
  };
  const rows = await searchExecutions(context.db, appId, filter, { ...wanted, limit: wanted.limit + 1 });
  return page(rows, wanted.limit, logDto);
}

/** The id of the script of an app that a filter names by id or name. @throws AppError 404 */
export async function scriptOf(
  context: Pick<ManagerContext, "db">,
  appId: string,
  idOrName: string,
): Promise<string> {
  const script =
    (isUuid(idOrName) ? await scriptById(context.db, appId, idOrName) : undefined) ??
    (isScriptName(idOrName) ? await scriptByName(context.db, appId, idOrName) : undefined);
  if (script === undefined) throw notFound("Script");
  return script.id;
}

function instant(field: string, text: string | undefined): Date | undefined {
  if (text === undefined) return undefined;
  const time = parseInstant(text);
  if (time !== null) return time;
  throw invalid("validation", `${field}: not acceptable; expected an instant such as 2026-01-31T12:00:00Z.`, {
    details: { field },
  });
}

/**
 * The run that an id names, when the caller has a capability in its app.
 * @throws AppError 404 when it does not exist or the caller may not know that it does, 403 when the role is too low
 */
export async function openExecution(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  id: string,
  capability: AppCapability,
): Promise<WholeExecution> {
  const execution = isUuid(id) ? await findExecution(context.db, id, who.userId) : undefined;
  if (execution === undefined) throw notFound("Execution");
  demand(who, execution, capability, "Execution");
  return execution;
}

export async function wholeExecution(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  id: string,
): Promise<ExecutionDTO> {
  const execution = await openExecution(context, who, id, "AppLogRead");
  return {
    ...logDto(execution),
    script_name: execution.script_name,
    request_body: execution.request_body,
    tree: await runsOfRoot(context.db, execution.app_id, execution.root_execution_id),
  };
}
