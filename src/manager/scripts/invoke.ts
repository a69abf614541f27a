import { runLimits } from "../../services/catalog/index.ts";
import { invalid } from "../../shared/errors.ts";
import type { ManagerContext } from "../context.ts";
import { writtenPath } from "../http/actions.ts";
import { callerOf, principalOf } from "../http/caller.ts";
import { pathOf } from "../http/errors.ts";
import { openVersion } from "./service.ts";

/**
 * `POST /scripts/{id}/versions/{n}:invoke`: runs a version, live or not, with the request's own headers, query and body,
 * and answers what the data plane would. For those who may write the script: a draft is their work, not the app's.
 * @throws AppError 403, 404, 422 for a module
 */
export async function invokeVersion(
  context: ManagerContext,
  request: Request,
  id: string,
  number: string,
): Promise<Response> {
  const { script, version } = await openVersion(context, principalOf(request), id, number, "AppWriteScript");
  if (script.kind === "module") {
    throw invalid(
      "script_is_module",
      `"${script.name}" is a module: it can be imported by other scripts, but not be run.`,
    );
  }
  const { connection, authentication, requestId } = callerOf(request);
  const settings = {
    timeoutSeconds: version.timeout_seconds,
    memoryLimitMb: version.memory_limit_mb,
    sandbox: version.sandbox,
  };
  return context.invokeVersion(request, connection, {
    script: {
      appId: script.app_id,
      id: script.id,
      name: script.name,
      limits: runLimits(settings, context.config.limits, context.config.ceilings),
      imports: version.imports,
    },
    version: version.version,
    caller: { principal: principalOf(request), hidesAuthorization: authentication?.kind !== "cookie" },
    path: writtenPath(pathOf(request.url)),
    requestId,
  });
}
