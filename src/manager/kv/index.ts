import { Type } from "@sinclair/typebox";
import { status } from "elysia";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { jsonTextBody, readLines } from "../http/body.ts";
import { actorOf, callerOf, principalOf } from "../http/caller.ts";
import { IMPORT_SECONDS, MAX_IMPORT_BYTES } from "../http/import.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { ndjson } from "../http/ndjson.ts";
import { rawJson } from "../http/raw-json.ts";
import {
  Imported,
  KvCollectionPage,
  KvCollectionPath,
  KvEntryDTO,
  KvEntryPage,
  KvListQuery,
  KvPath,
  KvSetQuery,
  NamePageQuery,
} from "./model.ts";
import {
  collectionsOf,
  deleteEntry,
  entryOf,
  exportEntries,
  importEntries,
  listEntries,
  setEntry,
} from "./service.ts";

export const kvModule = (context: ManagerContext) =>
  apiModule()
    .get(
      "/apps/:app/kv",
      async ({ request, params, query }) => {
        const who = principalOf(request);
        const { items, next_cursor } = await collectionsOf(context, who, params.app, "kv", query);
        return { items, next_cursor };
      },
      {
        params: AppPath,
        query: NamePageQuery,
        detail: { summary: "Collections of keys and values, with their sizes", tags: ["kv"] },
        response: { 200: KvCollectionPage, ...problems(401, 403, 404, 422) },
      },
    )
    .get(
      "/apps/:app/kv/:collection",
      ({ request, params, query }) => listEntries(context, principalOf(request), params, query),
      {
        params: KvCollectionPath,
        query: KvListQuery,
        detail: {
          summary: "Entries of a collection, in byte order of their keys",
          description: "A page of large values is shorter than asked for.",
          tags: ["kv"],
        },
        response: { 200: KvEntryPage, ...problems(401, 403, 404, 422) },
      },
    )
    .get(
      internalPath("/apps/:app/kv/:collection:export"),
      async ({ request, params }) => ndjson(await exportEntries(context, principalOf(request), params)),
      {
        params: KvCollectionPath,
        detail: { summary: "All entries of a collection, one in each line", tags: ["kv"] },
        response: {
          200: Type.String({ description: "Each line is an entry as in the list" }),
          ...problems(401, 403, 404, 422),
        },
      },
    )
    .post(
      internalPath("/apps/:app/kv/:collection:import"),
      ({ request, params }) => {
        callerOf(request).connection.mayBeSilentFor(IMPORT_SECONDS);
        return importEntries(context, actorOf(request), params, () => readLines(request, MAX_IMPORT_BYTES));
      },
      {
        parse: "none",
        params: KvCollectionPath,
        detail: {
          summary: "Writes the lines of an export, all of them or none",
          description: `Up to ${MAX_IMPORT_BYTES} bytes. Keys that are there already are overwritten.`,
          tags: ["kv"],
        },
        response: { 200: Imported, ...problems(400, 401, 403, 404, 413, 422, 507) },
      },
    )
    .get(
      "/apps/:app/kv/:collection/:key",
      async ({ request, params }) => rawJson(await entryOf(context, principalOf(request), params)),
      {
        params: KvPath,
        detail: { summary: "An entry", tags: ["kv"] },
        response: { 200: KvEntryDTO, ...problems(401, 403, 404, 422) },
      },
    )
    .put(
      "/apps/:app/kv/:collection/:key",
      async ({ request, params, query, body }) => {
        const ttl = query.ttl_seconds ?? null;
        const { created, json } = await setEntry(context, actorOf(request), params, String(body), ttl);
        return rawJson(json, created ? 201 : 200);
      },
      {
        parse: jsonTextBody(context.config.maxBodyBytes),
        params: KvPath,
        query: KvSetQuery,
        detail: {
          summary: "Writes a value, which is the body",
          description: "With ttl_seconds it is gone so many seconds later; else it stays.",
          tags: ["kv"],
        },
        response: { 200: KvEntryDTO, 201: KvEntryDTO, ...problems(400, 401, 403, 404, 413, 415, 422, 507) },
      },
    )
    .delete(
      "/apps/:app/kv/:collection/:key",
      async ({ request, params }) => {
        await deleteEntry(context, actorOf(request), params);
        return status(204, undefined);
      },
      {
        params: KvPath,
        detail: { summary: "Removes a value", tags: ["kv"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 422) },
      },
    );
