import { status } from "elysia";
import { Type } from "@sinclair/typebox";
import type { ManagerContext } from "../context.ts";
import { jsonBody } from "../http/body.ts";
import { actorOf, callerOf, principalOf } from "../http/caller.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { openNamedScript, openScript } from "./access.ts";
import { deploy } from "./deploy.ts";
import { diffVersions } from "./diff.ts";
import { scriptDTO, scriptSummary, versionDTO, versionSummary } from "./dto.ts";
import {
  CreateScript,
  DeleteScriptQuery,
  Deployed,
  DeployQuery,
  DiffQuery,
  ImportDTO,
  ImporterDTO,
  ListQuery,
  NamedScriptPath,
  SavedScript,
  SaveQuery,
  ScriptDTO,
  ScriptPath,
  ScriptSummary,
  UpdateScript,
  VersionDTO,
  VersionList,
  VersionPath,
  VersionsQuery,
} from "./model.ts";
import { invokeVersion } from "./invoke.ts";
import { etag } from "./precondition.ts";
import type { Script } from "./queries.ts";
import type { Saved } from "./save.ts";
import {
  activateVersion,
  changeScript,
  createScript,
  importsOfScript,
  openVersion,
  removeScript,
  versionsOf,
  usersOfScript,
  visibleScripts,
} from "./service.ts";
import { urlsOf, urlsOfScripts } from "./urls.ts";

/** Scripts by id. */
export const scriptsModule = (context: ManagerContext) => {
  const parse = jsonBody(context.config.maxBodyBytes);
  return apiModule()
    .get(
      "/scripts",
      async ({ request, query, set }) => {
        const { scripts, nextCursor } = await visibleScripts(context, principalOf(request), query);
        const urls = await urlsOfScripts(context, scripts, callerOf(request).origin);
        if (nextCursor !== null) set.headers["x-next-cursor"] = nextCursor;
        const show = query.fields === "summary" ? scriptSummary : scriptDTO;
        return scripts.map((script) => show(script, urls.get(script.id) ?? []));
      },
      {
        query: ListQuery,
        detail: {
          summary: "The scripts of one app, or of all that the caller may see",
          description:
            "By app and name. All of them, or with `limit` a page; then the header `X-Next-Cursor` of an answer is the " +
            "`cursor` of the next page, and missing on the last one.",
          tags: ["scripts"],
        },
        response: {
          200: Type.Array(Type.Union([ScriptDTO, ScriptSummary])),
          ...problems(401, 403, 404, 422),
        },
      },
    )
    .post(
      "/scripts",
      async ({ request, query, body, set }) => {
        const saved = await createScript(context, actorOf(request), body, query.activate !== "false");
        set.headers["etag"] = etag(saved.script);
        return status(201, await savedScript(context, request, saved));
      },
      {
        parse,
        query: SaveQuery,
        body: CreateScript,
        detail: { summary: "Creates a script", tags: ["scripts"] },
        response: { 201: SavedScript, ...problems(401, 403, 404, 409, 413, 422) },
      },
    )
    .get(
      "/scripts/:id",
      async ({ request, params, set }) => {
        const script = await openScript(context, principalOf(request), params.id, "AppRead");
        set.headers["etag"] = etag(script);
        return shown(context, request, script);
      },
      {
        params: ScriptPath,
        detail: { summary: "One script", tags: ["scripts"] },
        response: { 200: ScriptDTO, ...problems(401, 403, 404) },
      },
    )
    .put(
      "/scripts/:id",
      async ({ request, params, query, body, set }) => {
        const saved = await changeScript(context, actorOf(request), params.id, body, {
          activate: query.activate !== "false",
          ifMatch: request.headers.get("if-match"),
        });
        set.headers["etag"] = etag(saved.script);
        return status(saved.drafted ? 201 : 200, await savedScript(context, request, saved));
      },
      {
        parse,
        query: SaveQuery,
        params: ScriptPath,
        body: UpdateScript,
        detail: { summary: "Saves a script as a new version", tags: ["scripts"] },
        response: { 200: SavedScript, 201: SavedScript, ...problems(401, 403, 404, 409, 412, 413, 422) },
      },
    )
    .delete(
      "/scripts/:id",
      async ({ request, params, query }) => {
        const who = actorOf(request);
        const script = await openScript(context, who, params.id, "AppAdmin");
        await removeScript(context, who, script, request.headers.get("if-match"), query.force === true);
        return status(204, undefined);
      },
      {
        params: ScriptPath,
        query: DeleteScriptQuery,
        detail: { summary: "Deletes a script with its routes and runs", tags: ["scripts"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 409, 412, 422) },
      },
    )
    .get(
      "/scripts/:id/imports",
      async ({ request, params }) => importsOfScript(context, principalOf(request), params.id),
      {
        params: ScriptPath,
        detail: { summary: "Lists the modules that a script imports", tags: ["scripts"] },
        response: { 200: Type.Array(ImportDTO), ...problems(401, 404) },
      },
    )
    .get(
      "/scripts/:id/used-by",
      async ({ request, params }) => {
        const importers = await usersOfScript(context, principalOf(request), params.id);
        return importers.map(({ id, name, kind }) => ({ script_id: id, name, kind }));
      },
      {
        params: ScriptPath,
        detail: { summary: "Lists the scripts that import a module", tags: ["scripts"] },
        response: { 200: Type.Array(ImporterDTO), ...problems(401, 404) },
      },
    )
    .get(
      "/scripts/:id/versions",
      async ({ request, params, query }) => {
        const { script, versions, nextCursor } = await versionsOf(
          context,
          principalOf(request),
          params.id,
          query,
        );
        return {
          items: versions.map((version) => versionSummary(version, script.live_version)),
          next_cursor: nextCursor,
        };
      },
      {
        params: ScriptPath,
        query: VersionsQuery,
        detail: { summary: "The versions of a script, newest first", tags: ["versions"] },
        response: { 200: VersionList, ...problems(401, 403, 404, 422) },
      },
    )
    .get(
      "/scripts/:id/versions/:version",
      async ({ request, params }) => {
        const found = await openVersion(context, principalOf(request), params.id, params.version, "AppRead");
        return versionDTO(found.version, found.script.live_version);
      },
      {
        params: VersionPath,
        detail: { summary: "One version, with its source", tags: ["versions"] },
        response: { 200: VersionDTO, ...problems(401, 403, 404) },
      },
    )
    .post(
      // `…/versions/{version}:activate`; see internalPath.
      "/scripts/:id/versions/:version/~activate",
      async ({ request, params, set }) => {
        const ifMatch = request.headers.get("if-match");
        const script = await activateVersion(context, actorOf(request), params.id, params.version, ifMatch);
        set.headers["etag"] = etag(script);
        return shown(context, request, script);
      },
      {
        parse: "none",
        params: VersionPath,
        detail: { summary: "Makes a version the live one", tags: ["versions"] },
        response: { 200: ScriptDTO, ...problems(401, 403, 404, 412, 422) },
      },
    )
    .get(
      "/scripts/:id/diff",
      async ({ request, params, query, set }) => {
        const text = await diffVersions(context, principalOf(request), params.id, query);
        set.headers["content-type"] = "text/plain; charset=utf-8";
        set.headers["x-content-type-options"] = "nosniff";
        return text;
      },
      {
        params: ScriptPath,
        query: DiffQuery,
        detail: { summary: "What differs between two versions, as a unified diff", tags: ["scripts"] },
        response: { 200: Type.String(), ...problems(401, 404, 422) },
      },
    )
    .post(
      "/scripts/:id/versions/:version/~invoke",
      ({ request, params }) => invokeVersion(context, request, params.id, params.version),
      {
        parse: "none",
        params: VersionPath,
        detail: { summary: "Runs a version, live or not, with this request", tags: ["scripts"] },
        response: {
          200: Type.Unknown({ description: "Whatever the script answers, with whatever status" }),
          ...problems(400, 401, 403, 404, 413, 422, 500, 502, 503, 504, 507),
        },
      },
    );
};

/** Scripts by app and name: the path that curl deploys to. */
export const namedScriptsModule = (context: ManagerContext) =>
  apiModule()
    .put(
      "/apps/:app/scripts/:name",
      async ({ request, params, query, set }) => {
        const deployed = await deploy(context, request, params, query);
        set.headers["etag"] = deployed.etag;
        return status(deployed.status, deployed.answer);
      },
      {
        // The source itself, read only as far as it may be long.
        parse: "none",
        params: NamedScriptPath,
        query: DeployQuery,
        detail: { summary: "Deploys a script by name, from its source or as JSON", tags: ["scripts"] },
        response: { 200: Deployed, 201: Deployed, ...problems(400, 401, 403, 404, 409, 412, 413, 415, 422) },
      },
    )
    .get(
      "/apps/:app/scripts/:name",
      async ({ request, params, set }) => {
        const script = await openNamedScript(
          context,
          principalOf(request),
          params.app,
          params.name,
          "AppRead",
        );
        set.headers["etag"] = etag(script);
        return shown(context, request, script);
      },
      {
        params: NamedScriptPath,
        detail: { summary: "One script, by name", tags: ["scripts"] },
        response: { 200: ScriptDTO, ...problems(401, 403, 404) },
      },
    )
    .get(
      "/apps/:app/scripts/:name/source",
      async ({ request, params, set }) => {
        const script = await openNamedScript(
          context,
          principalOf(request),
          params.app,
          params.name,
          "AppRead",
        );
        set.headers["etag"] = etag(script);
        set.headers["content-type"] = "text/plain; charset=utf-8";
        set.headers["x-content-type-options"] = "nosniff";
        return script.source;
      },
      {
        params: NamedScriptPath,
        detail: { summary: "The source of a script as plain text", tags: ["scripts"] },
        response: { 200: Type.String(), ...problems(401, 403, 404) },
      },
    )
    .delete(
      "/apps/:app/scripts/:name",
      async ({ request, params, query }) => {
        const who = actorOf(request);
        const script = await openNamedScript(context, who, params.app, params.name, "AppAdmin");
        await removeScript(context, who, script, request.headers.get("if-match"), query.force === true);
        return status(204, undefined);
      },
      {
        params: NamedScriptPath,
        query: DeleteScriptQuery,
        detail: { summary: "Deletes a script, by name", tags: ["scripts"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 409, 412, 422) },
      },
    );

async function savedScript(context: ManagerContext, request: Request, saved: Saved): Promise<SavedScript> {
  const { script, routes, warnings } = saved;
  const urls = await urlsOf(context, script.app_id, routes, callerOf(request).origin);
  return { ...scriptDTO(script, urls), ...(warnings.length > 0 && { warnings: [...warnings] }) };
}

/** A script as the client sees it, with the addresses of its routes. */
async function shown(context: ManagerContext, request: Request, script: Script): Promise<ScriptDTO> {
  const urls = await urlsOfScripts(context, [script], callerOf(request).origin);
  return scriptDTO(script, urls.get(script.id) ?? []);
}
