import { demand, type AppCapability } from "../../services/identity/index.ts";
import { notFound } from "../../shared/errors.ts";
import { isUuid } from "../../shared/ids.ts";
import type { Principal } from "../../shared/principal.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext } from "../context.ts";
import { isScriptName } from "./names.ts";
import { findScript, scriptByName, type Script } from "./queries.ts";

/**
 * The script that an id names, when the caller has a capability in its app.
 * @throws AppError 404 when it does not exist or the caller may not know that it does, 403 when the role is too low
 */
export async function openScript(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  id: string,
  capability: AppCapability,
): Promise<Script> {
  const script = isUuid(id) ? await findScript(context.db, id, who) : undefined;
  if (script === undefined) throw notFound("Script");
  demand(who, script, capability, "Script");
  return script;
}

/** The script of an app that a name names. */
export async function openNamedScript(
  context: Pick<ManagerContext, "db">,
  who: Principal,
  app: string,
  name: string,
  capability: AppCapability,
): Promise<Script> {
  const { id } = await openApp(context, who, app, capability);
  const script = isScriptName(name) ? await scriptByName(context.db, id, name) : undefined;
  if (script === undefined) throw notFound("Script");
  return script;
}
