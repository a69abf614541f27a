import { parseRoute, type DispatchMode } from "../../services/routes/index.ts";
import { demand } from "../../services/identity/index.ts";
import { invalid } from "../../shared/errors.ts";
import { openApp } from "../apps/service.ts";
import type { ManagerContext, ScriptKind } from "../context.ts";
import { isJson, readJson } from "../http/body.ts";
import { actorOf, callerOf } from "../http/caller.ts";
import { checked } from "../http/validation.ts";
import { scriptDTO } from "./dto.ts";
import { DeployBody, type Deployed, type UpdateScript } from "./model.ts";
import { checkScriptName } from "./names.ts";
import { scriptByName, type Script } from "./queries.ts";
import type { Binding } from "./bindings.ts";
import { etag } from "./precondition.ts";
import { saveScript } from "./save.ts";
import { readSourceBody } from "./source.ts";
import { urlsOf } from "./urls.ts";

/** What may stand behind the `?` of a deployment. */
export interface DeployWish {
  readonly method?: string | undefined;
  readonly dispatch?: DispatchMode | undefined;
  readonly kind?: ScriptKind | undefined;
  readonly message?: string | undefined;
  readonly activate?: "true" | "false" | undefined;
}

/**
 * `PUT /apps/{app}/scripts/{name}` (CONTRACT 0.5): creates or updates the script of that name and binds its routes.
 * The body is the source itself or, as JSON, any fields of the script.
 */
export async function deploy(
  context: ManagerContext,
  request: Request,
  path: { readonly app: string; readonly name: string },
  wish: DeployWish,
): Promise<{ readonly status: 200 | 201; readonly etag: string; readonly answer: Deployed }> {
  const who = actorOf(request);
  const app = await openApp(context, who, path.app, "AppWriteScript");
  checkScriptName(path.name);
  // Read here and not from the parsed query, where a comma would separate two values.
  const routes = new URL(request.url).searchParams.getAll("route");
  if (routes.length > 0) demand(who, { app_id: app.id, granted: app.granted }, "AppWriteRoute", "App");
  const bindings = routes.map((route): Binding => ({
    pattern: parseRoute({ path: route, method: wish.method, dispatch_mode: wish.dispatch }),
    dispatchMode: wish.dispatch,
  }));
  if (routes.length === 0 && (wish.method !== undefined || wish.dispatch !== undefined)) {
    throw invalid("validation", "?method= and ?dispatch= belong to a ?route=, and there is none.", {
      details: { field: "route" },
    });
  }

  const before = await scriptByName(context.db, app.id, path.name);
  const change = await readChange(context, request, app.id, path.name, before);
  const saved = await saveScript(context, who, {
    appId: app.id,
    target: { name: path.name, existing: "update" },
    before,
    change: { ...change, kind: change.kind ?? wish.kind, message: change.message ?? wish.message },
    bindings,
    activate: wish.activate !== "false",
    ifMatch: request.headers.get("if-match"),
  });
  const urls = await urlsOf(context, app.id, saved.routes, callerOf(request).origin);
  const warnings = [...saved.warnings];
  if (urls.length === 0 && saved.routes.some((route) => route.enabled)) {
    warnings.push({
      message: `No host leads to the app ${app.slug} yet: claim a domain for it, or name it in PICLOUD_FALLBACK_APP.`,
    });
  }
  return {
    status: saved.created || saved.drafted ? 201 : 200,
    etag: etag(saved.script),
    answer: { script: scriptDTO(saved.script, urls), version: saved.script.version, urls, warnings },
  };
}

async function readChange(
  context: ManagerContext,
  request: Request,
  appId: string,
  name: string,
  before: Script | undefined,
): Promise<UpdateScript> {
  if (!isJson(request)) return { source: await readSourceBody(request) };
  const body = checked(DeployBody, await readJson(request, context.config.maxBodyBytes));
  mustBe("name", body.name, name);
  mustBe("app_id", body.app_id, appId);
  mustBe("id", body.id, before?.id);
  return {
    source: body.source,
    kind: body.kind,
    description: body.description,
    timeout_seconds: body.timeout_seconds,
    memory_limit_mb: body.memory_limit_mb,
    sandbox: body.sandbox,
    direct_execute: body.direct_execute,
    message: body.message,
  };
}

function mustBe(field: string, given: string | undefined, actual: string | undefined): void {
  if (given === undefined || given === actual) return;
  throw invalid("read_only", `${field} cannot be changed here; leave it out, or send the script's own.`, {
    details: { field },
  });
}
