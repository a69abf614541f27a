import { Type } from "@sinclair/typebox";
import { status } from "elysia";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { internalPath } from "../http/actions.ts";
import { jsonBody, jsonTextBody, readLines } from "../http/body.ts";
import { actorOf, callerOf, principalOf } from "../http/caller.ts";
import { IMPORT_SECONDS, MAX_IMPORT_BYTES } from "../http/import.ts";
import { apiModule, NoContent, problems } from "../http/module.ts";
import { ndjson } from "../http/ndjson.ts";
import { rawJson } from "../http/raw-json.ts";
import { Imported, NamePageQuery } from "../kv/model.ts";
import { createIndex, docCollections, dropIndex, listIndexes } from "./indexes.ts";
import {
  CollectionPath,
  CreateIndex,
  DocCollectionPage,
  DocDTO,
  DocListQuery,
  DocPage,
  DocPath,
  ExplanationDTO,
  IndexDTO,
  IndexPath,
} from "./model.ts";
import { explainFilter, findDocs } from "./query.ts";
import { changeDoc, createDoc, deleteDoc, docOf, exportDocs, importDocs, listDocs } from "./service.ts";

export const docsModule = (context: ManagerContext) =>
  apiModule().use(documents(context)).use(queries(context)).use(indexes(context));

function documents(context: ManagerContext) {
  const parse = jsonTextBody(context.config.maxBodyBytes);
  return apiModule()
    .get(
      "/apps/:app/docs",
      ({ request, params, query }) => docCollections(context, principalOf(request), params.app, query),
      {
        params: AppPath,
        query: NamePageQuery,
        detail: { summary: "Collections of documents, with their sizes and indexes", tags: ["docs"] },
        response: { 200: DocCollectionPage, ...problems(401, 403, 404, 422) },
      },
    )
    .get(
      "/apps/:app/docs/:collection",
      ({ request, params, query }) => listDocs(context, principalOf(request), params, query),
      {
        params: CollectionPath,
        query: DocListQuery,
        detail: {
          summary: "Documents of a collection, the oldest first",
          description: "A page of large documents is shorter than asked for.",
          tags: ["docs"],
        },
        response: { 200: DocPage, ...problems(401, 403, 404, 422) },
      },
    )
    .post(
      "/apps/:app/docs/:collection",
      async ({ request, params, body }) =>
        rawJson(await createDoc(context, actorOf(request), params, String(body)), 201),
      {
        parse,
        params: CollectionPath,
        detail: { summary: "Stores a new document, whose data is the body", tags: ["docs"] },
        response: { 201: DocDTO, ...problems(400, 401, 403, 404, 409, 413, 415, 422, 507) },
      },
    )
    .get(
      "/apps/:app/docs/:collection/:doc_id",
      async ({ request, params }) => rawJson(await docOf(context, principalOf(request), params)),
      {
        params: DocPath,
        detail: { summary: "A document", tags: ["docs"] },
        response: { 200: DocDTO, ...problems(401, 403, 404, 422) },
      },
    )
    .put(
      "/apps/:app/docs/:collection/:doc_id",
      async ({ request, params, body }) =>
        rawJson(await changeDoc(context, actorOf(request), params, String(body), "replace")),
      {
        parse,
        params: DocPath,
        detail: { summary: "Replaces the data of a document by the body", tags: ["docs"] },
        response: { 200: DocDTO, ...problems(400, 401, 403, 404, 409, 413, 415, 422, 507) },
      },
    )
    .patch(
      "/apps/:app/docs/:collection/:doc_id",
      async ({ request, params, body }) =>
        rawJson(await changeDoc(context, actorOf(request), params, String(body), "merge")),
      {
        parse,
        params: DocPath,
        detail: { summary: "Writes some fields of a document and leaves the others", tags: ["docs"] },
        response: { 200: DocDTO, ...problems(400, 401, 403, 404, 409, 413, 415, 422, 507) },
      },
    )
    .delete(
      "/apps/:app/docs/:collection/:doc_id",
      async ({ request, params }) => {
        await deleteDoc(context, actorOf(request), params);
        return status(204, undefined);
      },
      {
        params: DocPath,
        detail: { summary: "Removes a document", tags: ["docs"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 422) },
      },
    );
}

function queries(context: ManagerContext) {
  const parse = jsonTextBody(context.config.maxBodyBytes);
  return apiModule()
    .post(
      internalPath("/apps/:app/docs/:collection:find"),
      ({ request, params, body }) => findDocs(context, principalOf(request), params, String(body)),
      {
        parse,
        params: CollectionPath,
        detail: { summary: "The documents that a filter describes", tags: ["docs"] },
        response: { 200: DocPage, ...problems(400, 401, 403, 404, 413, 415, 422) },
      },
    )
    .post(
      internalPath("/apps/:app/docs/:collection:explain"),
      ({ request, params, body }) => explainFilter(context, principalOf(request), params, String(body)),
      {
        parse,
        params: CollectionPath,
        detail: { summary: "Which index a filter would use", tags: ["docs"] },
        response: { 200: ExplanationDTO, ...problems(400, 401, 403, 404, 413, 415, 422) },
      },
    )
    .get(
      internalPath("/apps/:app/docs/:collection:export"),
      async ({ request, params }) => ndjson(await exportDocs(context, principalOf(request), params)),
      {
        params: CollectionPath,
        detail: { summary: "All documents of a collection, one in each line", tags: ["docs"] },
        response: {
          200: Type.String({ description: "Each line is a document as in the list" }),
          ...problems(401, 403, 404, 422),
        },
      },
    )
    .post(
      internalPath("/apps/:app/docs/:collection:import"),
      ({ request, params }) => {
        callerOf(request).connection.mayBeSilentFor(IMPORT_SECONDS);
        return importDocs(context, actorOf(request), params, () => readLines(request, MAX_IMPORT_BYTES));
      },
      {
        parse: "none",
        params: CollectionPath,
        detail: {
          summary: "Writes the lines of an export, all of them or none",
          description: `Up to ${MAX_IMPORT_BYTES} bytes. Documents of an id that is there already are replaced; a line without one makes a new document.`,
          tags: ["docs"],
        },
        response: { 200: Imported, ...problems(400, 401, 403, 404, 409, 413, 422, 507) },
      },
    );
}

const indexes = (context: ManagerContext) =>
  apiModule()
    .get(
      "/apps/:app/docs/:collection/indexes",
      ({ request, params }) => listIndexes(context, principalOf(request), params),
      {
        params: CollectionPath,
        detail: { summary: "The indexes of a collection", tags: ["docs"] },
        response: { 200: Type.Array(IndexDTO), ...problems(401, 403, 404, 422) },
      },
    )
    .post(
      "/apps/:app/docs/:collection/indexes",
      async ({ request, params, body }) =>
        status(202, await createIndex(context, actorOf(request), params, body)),
      {
        parse: jsonBody(context.config.maxBodyBytes),
        params: CollectionPath,
        body: CreateIndex,
        detail: {
          summary: "Asks for an index of a field, which is built beside what goes on",
          tags: ["docs"],
        },
        response: { 202: IndexDTO, ...problems(401, 403, 404, 409, 413, 422) },
      },
    )
    .delete(
      "/apps/:app/docs/:collection/indexes/:field",
      async ({ request, params }) => {
        await dropIndex(context, actorOf(request), params);
        return status(204, undefined);
      },
      {
        params: IndexPath,
        detail: { summary: "Removes an index", tags: ["docs"] },
        response: { 204: NoContent, ...problems(401, 403, 404, 422) },
      },
    );
