import {
  Char,
  display,
  Float,
  fromHost,
  RhaiArray,
  typeName,
  type RhaiMap,
  type Value,
} from "../../../rhai/index.ts";
import { pure, type SdkNamespace } from "../define.ts";
import { map, text } from "../params.ts";
import { SdkError } from "../sdk-error.ts";

/** RFC 3986: everything but the unreserved characters. */
const encode = (source: string): string =>
  encodeURIComponent(source).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );

function decode(source: string): string {
  try {
    return decodeURIComponent(source);
  } catch {
    throw new SdkError("the text holds a % escape that is malformed, or is not valid UTF-8");
  }
}

/** Of repeated names the last one wins, as in `ctx.request.query`. */
const queryMap = (query: string): Readonly<Record<string, string>> =>
  Object.assign(Object.create(null), Object.fromEntries(new URLSearchParams(query)));

function parse(source: string): Value {
  let url: URL;
  try {
    url = new URL(source);
  } catch {
    throw new SdkError("the text is not an absolute URL");
  }
  return fromHost({
    scheme: url.protocol.slice(0, -1),
    username: decode(url.username),
    password: decode(url.password),
    host: url.hostname,
    port: url.port === "" ? undefined : Number(url.port),
    path: url.pathname,
    query: url.search.slice(1),
    params: queryMap(url.search),
    fragment: url.hash.slice(1),
  });
}

function buildQuery(params: RhaiMap): string {
  const pairs: string[] = [];
  for (const name of [...params.entries.keys()].toSorted()) {
    const value = params.entries.get(name);
    const values = value instanceof RhaiArray ? value.items : [value];
    for (const one of values)
      if (one !== undefined) pairs.push(`${encode(name)}=${encode(scalar(name, one))}`);
  }
  return pairs.join("&");
}

function scalar(name: string, value: Value): string {
  const isScalar = typeof value !== "object" || value instanceof Float || value instanceof Char;
  if (isScalar) return display(value);
  throw new SdkError(
    `the value of ${name} must be a string, a number, a bool or an array of those, not ${typeName(value)}`,
  );
}

export const url: SdkNamespace = {
  name: "url",
  doc: "URLs and their parts.",
  functions: [
    pure({
      name: "encode",
      params: [text("text")],
      returns: "string",
      doc: "The text percent-encoded, fit for one segment of a path or one value of a query.",
      example: { source: 'url::encode("a b/ü?")', result: '"a%20b%2F%C3%BC%3F"' },
      call: ({ native }, source) => native.checkSize(encode(source)),
    }),
    pure({
      name: "decode",
      params: [text("text")],
      returns: "string",
      doc: "The text with its percent escapes resolved. Throws when they are malformed or not UTF-8.",
      example: { source: 'url::decode("a%20b%2F%C3%BC")', result: '"a b/ü"' },
      errors: [
        {
          source: 'url::decode("%ff")',
          message: "url::decode: the text holds a % escape that is malformed, or is not valid UTF-8",
        },
      ],
      call: (_, source) => decode(source),
    }),
    pure({
      name: "parse",
      params: [text("text")],
      returns: "map",
      doc: "The parts of an absolute URL: scheme, username, password, host, port (or ()), path, query, params, fragment.",
      example: {
        source: [
          'let parts = url::parse("https://example.com:8080/a?q=1#top");',
          "[parts.host, parts.port, parts.params.q]",
        ].join("\n"),
        result: '["example.com", 8080, "1"]',
      },
      errors: [{ source: 'url::parse("/relative")', message: "url::parse: the text is not an absolute URL" }],
      call: ({ native }, source) => native.checkSize(parse(source)),
    }),
    pure({
      name: "build_query",
      params: [map("params")],
      returns: "string",
      doc: "A query string, without a question mark. An array repeats its name; () is left out.",
      example: {
        source: 'url::build_query(#{ q: "a b", page: [1, 2], none: () })',
        result: '"page=1&page=2&q=a%20b"',
      },
      errors: [
        {
          source: "url::build_query(#{ q: #{} })",
          message:
            "url::build_query: the value of q must be a string, a number, a bool or an array of those, not map",
        },
      ],
      call: ({ native }, params) => native.checkSize(buildQuery(params)),
    }),
    pure({
      name: "parse_query",
      params: [text("text")],
      returns: "map",
      doc: "The names and values of a query string, with or without a question mark. Of repeated names the last wins.",
      example: { source: 'url::parse_query("?a=1&b=x+y&a=3")', result: '#{"a": "3", "b": "x y"}' },
      call: ({ native }, source) => native.checkSize(fromHost(queryMap(source))),
    }),
  ],
};
