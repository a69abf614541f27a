import type { TSchema } from "@sinclair/typebox";
import { DocData, Filter } from "../docs/model.ts";
import { KvValue } from "../kv/model.ts";
import { DeployBody } from "../scripts/model.ts";
import { AnyCreate, AnyUpdate } from "../triggers/model.ts";

/** What the declaration of an endpoint cannot say. */
export interface Extra {
  /** Successful answers carry the version as an ETag. */
  readonly etag?: true;
  /** Takes If-Match with such an ETag. */
  readonly ifMatch?: true;
  /** Answers with a stream of events. */
  readonly events?: true;
  /** Answers with newline-delimited JSON. */
  readonly lines?: true;
  /** Bodies that the endpoint reads by itself, by content type. */
  readonly body?: Readonly<Record<string, TSchema | { readonly type: "string" }>>;
}

/** By `METHOD path` below /api/v1/admin. test/manager/support/documented.ts checks every answer against it. */
export const EXTRAS: Readonly<Record<string, Extra>> = {
  "GET /apps/{app}/executions:tail": { events: true },

  "GET /apps/{app}/kv/{collection}:export": { lines: true },
  "GET /apps/{app}/docs/{collection}:export": { lines: true },
  "PUT /apps/{app}/kv/{collection}/{key}": { body: { "application/json": KvValue } },
  "POST /apps/{app}/docs/{collection}": { body: { "application/json": DocData } },
  "PUT /apps/{app}/docs/{collection}/{doc_id}": { body: { "application/json": DocData } },
  "PATCH /apps/{app}/docs/{collection}/{doc_id}": { body: { "application/json": DocData } },
  "POST /apps/{app}/docs/{collection}:find": { body: { "application/json": Filter } },
  "POST /apps/{app}/docs/{collection}:explain": { body: { "application/json": Filter } },
  "POST /apps/{app}/kv/{collection}:import": { body: { "application/x-ndjson": { type: "string" } } },
  "POST /apps/{app}/docs/{collection}:import": { body: { "application/x-ndjson": { type: "string" } } },
  "POST /apps/{app}/triggers/{kind}": { body: { "application/json": AnyCreate } },
  "PATCH /apps/{app}/triggers/{tid}": { body: { "application/json": AnyUpdate } },

  "POST /scripts": { etag: true },
  "GET /scripts/{id}": { etag: true },
  "PUT /scripts/{id}": { etag: true, ifMatch: true },
  "DELETE /scripts/{id}": { ifMatch: true },
  "DELETE /apps/{app}/scripts/{name}": { ifMatch: true },
  "POST /scripts/{id}/versions/{version}:activate": { etag: true, ifMatch: true },
  "GET /apps/{app}/scripts/{name}": { etag: true },
  "GET /apps/{app}/scripts/{name}/source": { etag: true },
  "PUT /apps/{app}/scripts/{name}": {
    etag: true,
    ifMatch: true,
    body: { "text/plain": { type: "string" }, "application/json": DeployBody },
  },
};
