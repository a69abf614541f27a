import { Type } from "@sinclair/typebox";
import { t } from "elysia";
import { MAX_TTL_SECONDS, MAX_VALUE_BYTES } from "../../services/kv/index.ts";
import { pageOf } from "../http/cursor.ts";
import { NAME_PAGE_QUERY } from "../http/data-names.ts";
import { strict } from "../http/module.ts";
import { AppPath } from "../apps/model.ts";

export const KvCollectionPath = Type.Object({ ...AppPath.properties, collection: Type.String() });
export const KvPath = Type.Object({ ...KvCollectionPath.properties, key: Type.String() });

/** A collection with what it counts for. */
export const KvCollectionDTO = strict({
  collection: Type.String(),
  entries: Type.Integer(),
  bytes: Type.Integer(),
});
export const KvCollectionPage = pageOf(KvCollectionDTO);

export const KvEntryDTO = strict({
  key: Type.String(),
  value: Type.Unknown({ description: "any JSON, with the digits that its numbers were written with" }),
  expires_at: Type.Union([Type.String(), Type.Null()]),
  created_at: Type.String(),
  updated_at: Type.String(),
});
export const KvEntryPage = pageOf(KvEntryDTO);

export const NamePageQuery = strict(NAME_PAGE_QUERY);
export const KvListQuery = strict({
  ...NAME_PAGE_QUERY,
  prefix: Type.Optional(Type.String({ maxLength: 256, description: "what the keys begin with" })),
});

export const KvSetQuery = strict({
  ttl_seconds: Type.Optional(
    t.Integer({
      minimum: 1,
      maximum: MAX_TTL_SECONDS,
      description: `a whole number from 1 to ${MAX_TTL_SECONDS}`,
    }),
  ),
});

export const KvValue = Type.Unknown({ description: `any JSON of up to ${MAX_VALUE_BYTES} bytes` });

export const Imported = strict({ imported: Type.Integer() });
