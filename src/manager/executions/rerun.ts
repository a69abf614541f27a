import { runLimits } from "../../services/catalog/index.ts";
import { recordAudit, type Actor } from "../../services/audit/index.ts";
import {
  maskError,
  maskLogs,
  maskText,
  summaryOf,
  toMicroseconds,
  type WholeExecution,
} from "../../services/executions/index.ts";
import { demand } from "../../services/identity/index.ts";
import { AppError, conflict, invalid, notFound } from "../../shared/errors.ts";
import { newId } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import type { ManagerContext } from "../context.ts";
import type { Connection } from "../http/caller.ts";
import { findVersion, scriptById } from "../scripts/queries.ts";
import type { RerunBody, RerunDTO } from "./model.ts";
import { rerunInput } from "./rerun-input.ts";
import { openExecution } from "./service.ts";

/** What the run itself may take longer than its limit: waiting for a slot, and ending what does not end by itself. */
const MARGIN_SECONDS = 2;

/**
 * Runs again what ran, with the same request or an edited one: the version that ran then, or the live one. It is a run
 * like any other, with all its effects, and belongs to the tree of the first one. It runs as the caller where the first
 * one ran as somebody, and as nobody where that did: nobody's rights are borrowed.
 * @throws AppError 404, 403; 409 when the version or the input is gone; 422 when the script cannot be run
 */
export async function rerun(
  context: ManagerContext,
  actor: Actor,
  id: string,
  input: RerunBody,
  connection: Connection,
): Promise<RerunDTO> {
  const original = await openExecution(context, actor, id, "AppWriteScript");
  const script = await runnable(context, original, input.version ?? "same");
  const { request, masked } = rerunInput(original, input, connection.remoteAddress);
  connection.mayBeSilentFor(script.limits.timeoutMs / 1000 + MARGIN_SECONDS);
  // Before it runs: whatever happens, what it did has somebody who did it.
  await recordAudit(context.db, actor, {
    action: "execution.rerun",
    appId: original.app_id,
    target: { kind: "execution", id: original.id, name: original.script_name },
  });
  const executionId = newId();
  const { outcome, statusCode } = await context.runScript({
    executionId,
    script,
    version: script.version,
    triggerKind: original.trigger_kind,
    principal: original.principal_id === null ? null : actor,
    requestId: actor.requestId ?? newId(),
    request,
    event: null,
    rerun: { of: original.id, rootExecutionId: original.root_execution_id },
  });
  const { error, response } = outcome;
  if (error?.code === "malformed_body") throw invalid("malformed_body", error.message);
  const seesLog = mayReadLog(actor, original);
  return {
    execution_id: executionId,
    rerun_of: original.id,
    root_execution_id: original.root_execution_id,
    version: script.version,
    status: outcome.status,
    status_code: statusCode,
    duration_ms: toMicroseconds(outcome.durationMs),
    operations: outcome.operations,
    response_summary: seesLog && response !== null ? maskText(summaryOf(response.body)) : null,
    error: seesLog ? maskError(error) : null,
    logs: seesLog ? maskLogs(outcome.logs) : [],
    masked: [...masked],
  };
}

/** The version that is to run, with its own limits. */
async function runnable(context: ManagerContext, original: WholeExecution, which: "same" | "live") {
  const script = await scriptById(context.db, original.app_id, original.script_id);
  if (script === undefined) throw notFound("Execution");
  if (script.kind === "module") {
    throw invalid(
      "script_is_module",
      `"${script.name}" is a module now: it can be imported, but not be run.`,
    );
  }
  const number = which === "live" ? script.live_version : original.version;
  const version = number === null ? undefined : await findVersion(context.db, script, number);
  if (version === undefined) {
    throw conflict(
      "version_gone",
      number === null
        ? "The script has no live version."
        : `Version ${number} of the script is not kept any more; rerun with "version": "live".`,
    );
  }
  const { limits, ceilings } = context.config;
  const settings = {
    timeoutSeconds: version.timeout_seconds,
    memoryLimitMb: version.memory_limit_mb,
    sandbox: version.sandbox,
  };
  return {
    appId: script.app_id,
    id: script.id,
    name: script.name,
    version: version.version,
    limits: runLimits(settings, limits, ceilings),
    imports: version.imports,
  };
}

/** A key may write scripts without being allowed to read what they log. */
function mayReadLog(who: Principal, execution: WholeExecution): boolean {
  try {
    demand(who, execution, "AppLogRead", "Execution");
    return true;
  } catch (error) {
    if (error instanceof AppError) return false;
    throw error;
  }
}
