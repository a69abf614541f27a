import { HostValue, RhaiArray, RhaiMap, type Value } from "../../../rhai/index.ts";
import * as store from "../../../services/kv/index.ts";
import { methodsOf, pure, type SdkNamespace } from "../define.ts";
import { options, type Options } from "../options.ts";
import { any, array, boolean, identifier, integer, optional, text, wholeNumber } from "../params.ts";
import type { RunContext } from "../run-context.ts";
import { SdkError } from "../sdk-error.ts";
import { decodeCursor, encodeCursor } from "./cursor.ts";
import { fromStored, toStored } from "./stored.ts";

/** Entries of a page (CONTRACT 4). */
const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;

class KvCollection extends HostValue {
  readonly typeName = "KvCollection";
  readonly collection: string;
  constructor(collection: string) {
    super();
    this.collection = collection;
  }
}

const placeOf = (run: RunContext, { collection }: KvCollection, key: string): store.KvPlace => ({
  appId: run.appId,
  collection,
  key,
});

const method = methodsOf<KvCollection>("KvCollection");

const WRITE_OPTIONS = { ttl_seconds: integer("ttl_seconds", { min: 1, max: store.MAX_TTL_SECONDS }) };

const LIST_OPTIONS = {
  prefix: text("prefix", { maxBytes: 256 }),
  cursor: text("cursor"),
  limit: integer("limit", { min: 1 }),
  values: boolean("values"),
};

/** The life of a value, of which the process is told so that it is removed in time. */
function ttlOf(run: RunContext, asked: Options<typeof WRITE_OPTIONS> | undefined): number | null {
  const seconds = asked?.ttl_seconds ?? null;
  if (seconds !== null) run.expires(Date.now() + seconds * 1000);
  return seconds;
}

/** The keys that a script asks for at once. */
function keysOf({ items }: RhaiArray): string[] {
  if (items.length > MAX_PAGE) throw new SdkError(`keys may hold ${MAX_PAGE}, not ${items.length}`);
  const one = identifier("each key");
  return items.map((item) => one.read(item));
}

export const kv: SdkNamespace = {
  name: "kv",
  doc: "Values by key, in collections of the app. A value is anything that JSON can hold, up to 64 KiB.",
  functions: [
    pure({
      name: "collection",
      params: [identifier("name")],
      returns: "KvCollection",
      doc: "A collection, which need not exist before.",
      example: {
        source: ['let visits = kv::collection("visits");', 'visits.get("home")'].join("\n"),
        result: "()",
      },
      call: (_, name) => new KvCollection(name),
    }),
    method({
      name: "get",
      params: [identifier("key")],
      returns: "any",
      doc: "The value of a key; () when there is none.",
      example: {
        source: [
          'let visits = kv::collection("visits");',
          'visits.set("home", 3);',
          '[visits.get("home"), visits.get("about")]',
        ].join("\n"),
        result: "[3, ()]",
      },
      call: async (run, self, key) => fromStored(await store.getValue(run.sql, placeOf(run, self, key))),
    }),
    method({
      name: "get_many",
      params: [array("keys")],
      returns: "map",
      doc: `The values of up to ${MAX_PAGE} keys: a map with an entry for each key that is there.`,
      example: {
        source: [
          'let visits = kv::collection("visits");',
          'visits.set("a", 1);',
          'visits.set("b", 2);',
          'visits.get_many(["a", "b", "c"])',
        ].join("\n"),
        result: '#{"a": 1, "b": 2}',
      },
      errors: [
        {
          source: 'let keys = []; keys.pad(1001, "k"); kv::collection("c").get_many(keys)',
          message: "kv::get_many: keys may hold 1000, not 1001",
        },
      ],
      call: async (run, self, keys) => {
        const place = { appId: run.appId, collection: self.collection };
        const rows = await store.getValues(run.sql, place, keysOf(keys));
        return RhaiMap.of(new Map(rows.map(({ key, value }) => [key, fromStored(value)])));
      },
    }),
    method({
      name: "has",
      params: [identifier("key")],
      returns: "bool",
      doc: "Whether there is a value.",
      example: {
        source: [
          'let visits = kv::collection("visits");',
          'visits.set("home", ());',
          '[visits.has("home"), visits.has("about")]',
        ].join("\n"),
        result: "[true, false]",
      },
      call: (run, self, key) => store.hasKey(run.sql, placeOf(run, self, key)),
    }),
    method({
      name: "set",
      params: [identifier("key"), any("value"), options(WRITE_OPTIONS)],
      returns: "()",
      doc: "Writes a value. With #{ ttl_seconds: n } it is gone n seconds later; else it stays.",
      example: {
        source: [
          'let sessions = kv::collection("sessions");',
          'sessions.set("abc", #{ user: "ada" }, #{ ttl_seconds: 3600 });',
          'sessions.get("abc").user',
        ].join("\n"),
        result: '"ada"',
      },
      errors: [
        {
          source: 'let big = ""; big.pad(65535, "x"); kv::collection("c").set("k", big)',
          message: "kv::set: value is larger than 65536 bytes as JSON",
        },
        {
          source: 'kv::collection("c").set("k", |x| x)',
          message: "kv::set: value cannot be stored: the value is of type Fn, which JSON cannot hold",
        },
        {
          source: 'kv::collection("c").set("k", "\\x00")',
          message: "kv::set: value cannot be stored: it holds a NUL character",
        },
        {
          source: 'kv::collection("c").set("k", 1, #{ ttl: 1 })',
          message: 'kv::set: there is no option "ttl"; there is ttl_seconds',
        },
        {
          source: 'kv::collection("c").set("k", 1, #{ ttl_seconds: 0 })',
          message: "kv::set: ttl_seconds must be from 1 to 3155760000, not 0",
        },
      ],
      call: async (run, self, key, value, asked) => {
        const json = toStored("value", value, store.MAX_VALUE_BYTES);
        await run.write((sql, origin) =>
          store.setValue(sql, placeOf(run, self, key), json, ttlOf(run, asked), origin),
        );
      },
    }),
    method({
      name: "set_if",
      params: [identifier("key"), any("value"), any("expected"), options(WRITE_OPTIONS)],
      returns: "bool",
      doc: "Writes a value if the present one equals `expected`, which is () for none. Answers whether it wrote.",
      example: {
        source: [
          'let locks = kv::collection("locks");',
          'let first = locks.set_if("job", "me", (), #{ ttl_seconds: 60 });',
          'let second = locks.set_if("job", "you", ());',
          '[first, second, locks.get("job")]',
        ].join("\n"),
        result: '[true, false, "me"]',
      },
      call: async (run, self, key, value, expected, asked) => {
        const json = toStored("value", value, store.MAX_VALUE_BYTES);
        const place = placeOf(run, self, key);
        const ttl = ttlOf(run, asked);
        if (expected === undefined)
          return run.write((sql, origin) => store.setIfAbsent(sql, place, json, ttl, origin));
        return run.write((sql, origin) =>
          store.setIfEqual(
            sql,
            place,
            json,
            toStored("expected", expected, store.MAX_VALUE_BYTES),
            ttl,
            origin,
          ),
        );
      },
    }),
    method({
      name: "incr",
      params: [identifier("key"), optional(wholeNumber("by"))],
      returns: "int",
      doc: "Adds to an integer (1 unless told otherwise), and answers the sum. A missing key counts as 0.",
      example: {
        source: [
          'let visits = kv::collection("visits");',
          'visits.incr("home");',
          'visits.incr("home", 10)',
        ].join("\n"),
        result: "11",
      },
      errors: [
        {
          source: 'let c = kv::collection("c"); c.set("k", "x"); c.incr("k")',
          message: "kv::incr: the value is not an integer",
        },
        {
          source: 'let c = kv::collection("c"); c.set("k", 9223372036854775807); c.incr("k")',
          message: "kv::incr: the sum is beyond the range of integers",
        },
      ],
      call: async (run, self, key, by) => {
        const place = placeOf(run, self, key);
        const sum = await run.write((sql, origin) => store.addTo(sql, place, by ?? 1n, origin));
        if (sum !== undefined) return fromStored(String(sum));
        const present = fromStored(await store.getValue(run.sql, place));
        const isInteger = typeof present === "number" || typeof present === "bigint";
        throw new SdkError(
          isInteger ? "the sum is beyond the range of integers" : "the value is not an integer",
        );
      },
    }),
    method({
      name: "delete",
      params: [identifier("key")],
      returns: "bool",
      doc: "Removes a value. Answers whether there was one.",
      example: {
        source: [
          'let visits = kv::collection("visits");',
          'visits.set("home", 1);',
          '[visits.delete("home"), visits.delete("home")]',
        ].join("\n"),
        result: "[true, false]",
      },
      call: (run, self, key) =>
        run.write((sql, origin) => store.deleteKey(sql, placeOf(run, self, key), origin)),
    }),
    method({
      name: "list",
      params: [options(LIST_OPTIONS)],
      returns: "map",
      doc:
        `A page of the keys in byte order: #{ keys, next_cursor }. Options: prefix, limit (${DEFAULT_PAGE}, at most ${MAX_PAGE}), ` +
        "cursor (the next_cursor of the page before), values (true adds `entries`: an array of #{ key, value }).",
      example: {
        source: [
          'let users = kv::collection("users");',
          'users.set("user:1", "Ada");',
          'users.set("user:2", "Bob");',
          'users.set("zone", "UTC");',
          'let page = users.list(#{ prefix: "user:", limit: 1 });',
          '[page.keys, users.list(#{ prefix: "user:", cursor: page.next_cursor }).keys]',
        ].join("\n"),
        result: '[["user:1"], ["user:2"]]',
      },
      errors: [
        {
          source: 'kv::collection("c").list(#{ cursor: "nonsense!" })',
          message: "kv::list: cursor is not one that a list has answered",
        },
        {
          source: 'kv::collection("c").list(#{ limit: 0 })',
          message: "kv::list: limit must be at least 1, not 0",
        },
      ],
      call: async (run, self, asked = {}) => {
        const limit = Math.min(asked.limit ?? DEFAULT_PAGE, MAX_PAGE);
        const page = {
          prefix: asked.prefix ?? "",
          after: asked.cursor === undefined ? null : decodeCursor(asked.cursor),
          // One more than asked for tells whether there is a next page.
          limit: limit + 1,
        };
        const place = { appId: run.appId, collection: self.collection };
        const rows = await store.listEntries(run.sql, place, page, asked.values === true);
        const shown = rows.slice(0, limit);
        const last = rows.length > limit ? shown.at(-1) : undefined;
        const answer = new Map<string, Value>([
          ["keys", new RhaiArray(shown.map(({ key }) => key))],
          ["next_cursor", last === undefined ? undefined : encodeCursor(last.key)],
        ]);
        if (asked.values === true) {
          const entries = shown.map(({ key, value }) =>
            RhaiMap.of(
              new Map<string, Value>([
                ["key", key],
                ["value", fromStored(value)],
              ]),
            ),
          );
          answer.set("entries", new RhaiArray(entries));
        }
        return RhaiMap.of(answer);
      },
    }),
  ],
};
