import { Type, type Static } from "@sinclair/typebox";
import { MAX_DOC_BYTES } from "../../services/docs/index.ts";
import { AppPath } from "../apps/model.ts";
import { pageOf, PAGE_QUERY } from "../http/cursor.ts";
import { strict } from "../http/module.ts";

export const CollectionPath = Type.Object({ ...AppPath.properties, collection: Type.String() });
export const DocPath = Type.Object({ ...CollectionPath.properties, doc_id: Type.String() });
export const IndexPath = Type.Object({ ...CollectionPath.properties, field: Type.String() });

export const IndexDTO = strict({
  field: Type.String(),
  unique: Type.Boolean(),
  state: Type.Union([
    Type.Literal("building"),
    Type.Literal("ready"),
    Type.Literal("failed"),
    Type.Literal("dropping"),
  ]),
  error: Type.Union([Type.String(), Type.Null()]),
  created_at: Type.String(),
});
export type IndexDTO = Static<typeof IndexDTO>;

/** A collection with what it counts for. */
export const DocCollectionDTO = strict({
  collection: Type.String(),
  entries: Type.Integer(),
  bytes: Type.Integer(),
  indexes: Type.Array(IndexDTO),
});
export const DocCollectionPage = pageOf(DocCollectionDTO);

const Data = Type.Record(Type.String(), Type.Unknown(), {
  description: `a JSON object of up to ${MAX_DOC_BYTES} bytes, with the digits that its numbers were written with`,
});

export const DocDTO = strict({
  id: Type.String(),
  data: Data,
  created_at: Type.String(),
  updated_at: Type.String(),
});
export const DocPage = pageOf(DocDTO);

export { Data as DocData };

export const DocListQuery = strict(PAGE_QUERY);

export const Filter = Type.Record(Type.String(), Type.Unknown(), {
  description:
    'a filter as `docs` has it in scripts, without $regex: {"field": {"$gt": 1}, "$sort": {"field": -1}, "$limit": 10, "$cursor": "…"}',
});

export const ExplanationDTO = strict({
  index: Type.Union([Type.String(), Type.Null()]),
  uses: Type.Union([
    Type.Literal("values"),
    Type.Literal("range"),
    Type.Literal("sort"),
    Type.Literal("collection"),
  ]),
  suggestion: Type.Union([Type.String(), Type.Null()]),
});

export const CreateIndex = strict({
  field: Type.String({ minLength: 1, maxLength: 256, description: "the name of a field, or a path a.b.c" }),
  unique: Type.Optional(Type.Boolean({ description: "true or false" })),
});
export type CreateIndex = Static<typeof CreateIndex>;
