import { fromHost } from "../../../rhai/index.ts";
import * as store from "../../../services/docs/index.ts";
import type { SdkFunction } from "../define.ts";
import { options } from "../options.ts";
import { boolean, identifier, map } from "../params.ts";
import { SdkError } from "../sdk-error.ts";
import { FINDING, method, placeOf } from "./docs-collection.ts";

const filter = map("filter");
const INDEX_OPTIONS = { unique: boolean("unique") };

/** Methods of a collection that are about its indexes. */
export const indexMethods: readonly SdkFunction[] = [
  method({
    name: "create_index",
    params: [identifier("field"), options(INDEX_OPTIONS)],
    returns: "()",
    doc:
      "Has a field (or path a.b.c) indexed, so that filters and $sort by it are fast. It is built beside what goes on; see indexes(). " +
      "With #{ unique: true } no two documents may have the same value.",
    example: {
      source: [
        'let posts = docs::collection("posts");',
        'posts.create_index("slug", #{ unique: true });',
        "posts.indexes()[0].field",
      ].join("\n"),
      result: '"slug"',
    },
    errors: [
      {
        source: 'docs::collection("c").create_index("a..b")',
        message: "docs::create_index: invalid filter: a..b: a segment of the path is empty",
      },
    ],
    call: async (run, self, field, asked) => {
      const unique = asked?.unique ?? false;
      await store.requestIndex(run.sql, placeOf(run, self), store.readPath(field), unique);
      FINDING.indexes.forget(placeOf(run, self));
      run.indexesChanged();
    },
  }),
  method({
    name: "drop_index",
    params: [identifier("field")],
    returns: "bool",
    doc: "Removes an index. Answers whether there was one.",
    example: {
      source: [
        'let posts = docs::collection("posts");',
        'posts.create_index("slug");',
        '[posts.drop_index("slug"), posts.drop_index("title")]',
      ].join("\n"),
      result: "[true, false]",
    },
    call: async (run, self, field) => {
      // Queries go on using it for some seconds, which are counted from the beginning of the transaction.
      if (run.isOneTransaction) throw new SdkError("a transactional run cannot drop an index");
      const was = await store.requestDrop(run.sql, placeOf(run, self), store.readPath(field));
      FINDING.indexes.forget(placeOf(run, self));
      run.indexesChanged();
      return was;
    },
  }),
  method({
    name: "indexes",
    params: [],
    returns: "array",
    doc: "The indexes: an array of #{ field, unique, state, error }, where state is building, ready or failed.",
    example: {
      source: [
        'let posts = docs::collection("posts");',
        'posts.create_index("slug");',
        "let index = posts.indexes()[0];",
        "[index.field, index.unique, index.error]",
      ].join("\n"),
      result: '["slug", false, ()]',
    },
    call: async (run, self) => {
      const rows = await store.listIndexes(run.sql, placeOf(run, self));
      return fromHost(
        rows.map(({ path, is_unique, state, error }) => ({
          field: path.join("."),
          unique: is_unique,
          state,
          error,
        })),
      );
    },
  }),
  method({
    name: "explain",
    params: [filter],
    returns: "map",
    doc: "Which index a filter would use: #{ index, uses, suggestion }. `uses` is values, range, sort or collection (every document).",
    example: {
      source: ['let posts = docs::collection("posts");', 'posts.explain(#{ title: "First" })'].join("\n"),
      result: '#{"index": (), "suggestion": "title", "uses": "collection"}',
    },
    call: async (run, self, given) => {
      const explanation = await store.explainQuery(run.sql, placeOf(run, self), store.readFilter(given));
      return fromHost({ ...explanation });
    },
  }),
];
