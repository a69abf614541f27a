import { RhaiArray, RhaiMap } from "../../../rhai/index.ts";
import * as store from "../../../services/docs/index.ts";
import { invalid, notFound } from "../../../shared/errors.ts";
import { isUuid, newId } from "../../../shared/ids.ts";
import { pure, type SdkNamespace } from "../define.ts";
import { options } from "../options.ts";
import { identifier, integer, map, optional, text } from "../params.ts";
import type { Param } from "../params.ts";
import type { RunContext } from "../run-context.ts";
import { SdkError } from "../sdk-error.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { DocsCollection, FINDING, method, placeOf } from "./docs-collection.ts";
import { indexMethods } from "./docs-indexes.ts";
import { envelope, pageOf } from "./document.ts";
import { toStored } from "./stored.ts";

/** Documents of one answer (CONTRACT Q14). */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

const docId: Param<string> = {
  ...text("id"),
  read: (value) => {
    const id = text("id").read(value);
    if (!isUuid(id)) throw new SdkError("id is not a UUID");
    return id.toLowerCase();
  },
};

const filter = map("filter");
const data = (name: string): Param<string> => ({
  ...map(name),
  read: (value) => toStored(name, map(name).read(value), store.MAX_DOC_BYTES),
});

const limitOf = (query: store.Query): number => Math.min(query.limit ?? DEFAULT_PAGE, MAX_PAGE);

/** @throws AppError for a cursor in a call that gives none */
function withoutCursor(query: store.Query): store.Query {
  if (query.cursor !== null)
    throw invalid("invalid_filter", "invalid filter: $cursor: only `page` takes one");
  return query;
}

async function found(
  run: RunContext,
  self: DocsCollection,
  query: store.Query,
  limit: number,
): Promise<RhaiMap[]> {
  const rows = await store.findDocs(run.sql, placeOf(run, self), query, { limit, after: null }, FINDING);
  return rows.map((row) => envelope(row, query.select));
}

const missing = () => notFound("Document");

const LIST_OPTIONS = { cursor: text("cursor"), limit: integer("limit", { min: 1 }) };

export const docs: SdkNamespace = {
  name: "docs",
  doc: "Documents in collections of the app: maps of up to 256 KiB that are found by their fields.",
  functions: [
    pure({
      name: "collection",
      params: [identifier("name")],
      returns: "DocsCollection",
      doc: "A collection, which need not exist before.",
      example: {
        source: ['let posts = docs::collection("posts");', "posts.count()"].join("\n"),
        result: "0",
      },
      call: (_, name) => new DocsCollection(name),
    }),
    method({
      name: "create",
      params: [data("data")],
      returns: "string",
      doc: "Stores a new document, and answers its id.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'let id = posts.create(#{ title: "First" });',
          "posts.get(id).data.title",
        ].join("\n"),
        result: '"First"',
      },
      errors: [
        {
          source: 'let big = ""; big.pad(262144, "x"); docs::collection("c").create(#{ text: big })',
          message: "docs::create: data is larger than 262144 bytes as JSON",
        },
        {
          source: 'docs::collection("c").create(#{ f: |x| x })',
          message: "docs::create: data cannot be stored: f is of type Fn, which JSON cannot hold",
        },
        {
          source: 'docs::collection("c").create(#{ s: "\\x00" })',
          message: "docs::create: data cannot be stored: it holds a NUL character",
        },
        {
          source:
            'let c = docs::collection("c"); c.create_index("email", #{ unique: true }); c.create(#{ email: "a@b.c" }); c.create(#{ email: "a@b.c" })',
          message: "docs::create: Another document has the same value of a unique field.",
        },
      ],
      call: async (run, self, json) => {
        const id = newId();
        await run.write((sql, origin) => store.insertDoc(sql, placeOf(run, self), id, json, origin));
        return id;
      },
    }),
    method({
      name: "get",
      params: [docId],
      returns: "map or ()",
      doc: "The document #{ id, data, created_at, updated_at }; () when there is none.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'let id = posts.create(#{ title: "First" });',
          "let post = posts.get(id);",
          "[post.keys(), post.data]",
        ].join("\n"),
        result: '[["created_at", "data", "id", "updated_at"], #{"title": "First"}]',
      },
      errors: [{ source: 'docs::collection("c").get("x")', message: "docs::get: id is not a UUID" }],
      call: async (run, self, id) => {
        const row = await store.getDoc(run.sql, placeOf(run, self), id);
        return row === undefined ? undefined : envelope(row, null);
      },
    }),
    method({
      name: "find",
      params: [filter],
      returns: "array",
      doc:
        'The documents that a filter describes: #{ field: value, "a.b": #{ "$gt": 1 }, "$sort": #{ field: -1 }, "$limit": 10, "$select": ["field"] }. ' +
        "Operators: $eq $ne $gt $gte $lt $lte $in $nin $exists $contains $regex $not, and $and $or $nor around filters. " +
        `${DEFAULT_PAGE} documents unless $limit says otherwise, at most ${MAX_PAGE}.`,
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'posts.create(#{ title: "First", tags: ["a"], likes: 3 });',
          'posts.create(#{ title: "Second", tags: ["b"], likes: 8 });',
          'posts.find(#{ likes: #{ "$gte": 5 }, "$sort": #{ title: 1 } }).map(|post| post.data.title)',
        ].join("\n"),
        result: '["Second"]',
      },
      errors: [
        {
          source: 'docs::collection("c").find(#{ a: #{ "$foo": 1 } })',
          message:
            "docs::find: operator '$foo' is not supported; there are $eq $ne $gt $gte $lt $lte $in $nin $exists $contains $regex $not $and $or $nor $sort $limit $select $cursor",
        },
        {
          source: 'docs::collection("c").find(#{ "a.b.c.d.e.f": 1 })',
          message: "docs::find: invalid filter: a.b.c.d.e.f: a path may have 5 segments",
        },
        {
          source: 'docs::collection("c").find(#{ "$cursor": "x" })',
          message: "docs::find: invalid filter: $cursor: only `page` takes one",
        },
      ],
      call: async (run, self, given) => {
        const query = withoutCursor(store.readFilter(given));
        return new RhaiArray(await found(run, self, query, limitOf(query)));
      },
    }),
    method({
      name: "find_one",
      params: [filter],
      returns: "map or ()",
      doc: "The first document that a filter describes; () when there is none.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'posts.create(#{ title: "First", tags: ["a"], likes: 3 });',
          'posts.create(#{ title: "Second", tags: ["b"], likes: 8 });',
          'posts.find_one(#{ title: "Second" }).data.likes',
        ].join("\n"),
        result: "8",
      },
      call: async (run, self, given) => {
        const [first] = await found(run, self, withoutCursor(store.readFilter(given)), 1);
        return first;
      },
    }),
    method({
      name: "page",
      params: [filter],
      returns: "map",
      doc: 'A page of what a filter describes: #{ docs, next_cursor }. The next page is asked for with "$cursor": next_cursor.',
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'posts.create(#{ title: "First", tags: ["a"], likes: 3 });',
          'posts.create(#{ title: "Second", tags: ["b"], likes: 8 });',
          'let first = posts.page(#{ "$sort": #{ likes: -1 }, "$limit": 1 });',
          'let second = posts.page(#{ "$sort": #{ likes: -1 }, "$limit": 1, "$cursor": first.next_cursor });',
          "[first.docs[0].data.title, second.docs[0].data.title, second.next_cursor]",
        ].join("\n"),
        result: '["Second", "First", ()]',
      },
      errors: [
        {
          source: 'docs::collection("c").page(#{ "$cursor": "x" })',
          message: "docs::page: $cursor is not one that page has answered for this $sort",
        },
      ],
      call: async (run, self, given) => {
        const query = store.readFilter(given);
        const limit = limitOf(query);
        // One more than asked for tells whether there is a next page.
        const page = { limit: limit + 1, after: store.afterOf(query) };
        const rows = await store.findDocs(run.sql, placeOf(run, self), query, page, FINDING);
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1) : undefined;
        return pageOf(
          shown.map((row) => envelope(row, query.select)),
          last === undefined ? undefined : store.cursorOf(query, last),
        );
      },
    }),
    method({
      name: "list",
      params: [options(LIST_OPTIONS)],
      returns: "map",
      doc: "A page of all documents, the oldest first: #{ docs, next_cursor }. Options: cursor, limit.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'posts.create(#{ title: "First", tags: ["a"], likes: 3 });',
          'posts.create(#{ title: "Second", tags: ["b"], likes: 8 });',
          "posts.list(#{ limit: 1 }).docs[0].data.title",
        ].join("\n"),
        result: '"First"',
      },
      errors: [
        {
          source: 'docs::collection("c").list(#{ cursor: "x" })',
          message: "docs::list: cursor is not one that a list has answered",
        },
      ],
      call: async (run, self, asked = {}) => {
        const limit = Math.min(asked.limit ?? DEFAULT_PAGE, MAX_PAGE);
        const after = asked.cursor === undefined ? null : decodeCursor(asked.cursor);
        if (after !== null && !isUuid(after))
          throw new SdkError("cursor is not one that a list has answered");
        const rows = await store.listDocs(run.sql, placeOf(run, self), after, limit + 1);
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1) : undefined;
        return pageOf(
          shown.map((row) => envelope(row, null)),
          last === undefined ? undefined : encodeCursor(last.id),
        );
      },
    }),
    method({
      name: "count",
      params: [optional(filter)],
      returns: "int",
      doc: "How many documents a filter describes; all, without one.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'posts.create(#{ title: "First", tags: ["a"], likes: 3 });',
          'posts.create(#{ title: "Second", tags: ["b"], likes: 8 });',
          '[posts.count(), posts.count(#{ tags: #{ "$contains": "b" } })]',
        ].join("\n"),
        result: "[2, 1]",
      },
      call: (run, self, given) => {
        const query = withoutCursor(store.readFilter(given ?? RhaiMap.of(new Map())));
        return store.countDocs(run.sql, placeOf(run, self), query, FINDING);
      },
    }),
    method({
      name: "update",
      params: [docId, data("data")],
      returns: "()",
      doc: "Replaces a document's data. Throws when there is no such document.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'let id = posts.create(#{ title: "First", likes: 3 });',
          'posts.update(id, #{ title: "New" });',
          "posts.get(id).data",
        ].join("\n"),
        result: '#{"title": "New"}',
      },
      errors: [
        {
          source: 'docs::collection("c").update("018f0000-0000-7000-8000-000000000000", #{})',
          message: "docs::update: Document not found.",
        },
      ],
      call: async (run, self, id, json) => {
        if (!(await run.write((sql, origin) => store.replaceDoc(sql, placeOf(run, self), id, json, origin))))
          throw missing();
      },
    }),
    method({
      name: "patch",
      params: [docId, data("fields")],
      returns: "()",
      doc: "Writes some fields of a document's data and leaves the others. Throws when there is no such document.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'let id = posts.create(#{ title: "First", likes: 3 });',
          "posts.patch(id, #{ likes: 4 });",
          "posts.get(id).data",
        ].join("\n"),
        result: '#{"likes": 4, "title": "First"}',
      },
      errors: [
        {
          source: 'docs::collection("c").patch("018f0000-0000-7000-8000-000000000000", #{})',
          message: "docs::patch: Document not found.",
        },
        {
          source:
            'let half = ""; half.pad(140000, "x"); let c = docs::collection("c"); let id = c.create(#{ a: half }); c.patch(id, #{ b: half })',
          message: "docs::patch: the data would be larger than 262144 bytes as JSON",
        },
      ],
      call: async (run, self, id, json) => {
        const outcome = await run.write((sql, origin) =>
          store.mergeDoc(sql, placeOf(run, self), id, json, store.MAX_DOC_BYTES, origin),
        );
        if (outcome === "missing") throw missing();
        if (outcome === "too large")
          throw new SdkError(`the data would be larger than ${store.MAX_DOC_BYTES} bytes as JSON`);
      },
    }),
    method({
      name: "delete",
      params: [docId],
      returns: "bool",
      doc: "Removes a document. Answers whether there was one.",
      example: {
        source: [
          'let posts = docs::collection("posts");',
          'let id = posts.create(#{ title: "First" });',
          "[posts.delete(id), posts.delete(id)]",
        ].join("\n"),
        result: "[true, false]",
      },
      call: (run, self, id) =>
        run.write((sql, origin) => store.deleteDoc(sql, placeOf(run, self), id, origin)),
    }),
    ...indexMethods,
  ],
};
