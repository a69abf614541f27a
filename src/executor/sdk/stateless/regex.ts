import type * as Re2 from "re2js";
import type { Matcher, RE2JS } from "re2js";
import { RhaiArray, RhaiMap, type NativeContext, type Value } from "../../../rhai/index.ts";
import { pure, type CallContext, type SdkNamespace } from "../define.ts";
import { text } from "../params.ts";
import { SdkError } from "../sdk-error.ts";

/** Bytes of a pattern. */
const MAX_PATTERN = 4096;
/** Instructions of a compiled pattern: time is at most this times the length of the text. */
const MAX_PROGRAM = 20_000;
/** Compiled patterns kept by a worker. */
const KEPT = 64;
/** Characters of text times instructions for one operation. */
const PER_OPERATION = 512;

// 300 KB that most scripts never need: loaded by the first that does.
let engine: typeof Re2 | null = null;
const patterns = new Map<string, RE2JS>();

/** @throws SdkError that says what is wrong with the pattern */
function compiled(pattern: string): RE2JS {
  const known = patterns.get(pattern);
  if (known !== undefined) return known;
  // oxlint-disable-next-line no-require-imports -- `import()` would have to be awaited, and this call must not suspend.
  engine ??= require("re2js") as typeof Re2;
  let made: RE2JS;
  try {
    made = engine.RE2JS.compile(pattern);
  } catch (error) {
    throw new SdkError(`the pattern is not valid: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (made.programSize() > MAX_PROGRAM) throw new SdkError("the pattern is too complex");
  if (patterns.size >= KEPT) {
    const [oldest = ""] = patterns.keys();
    patterns.delete(oldest);
  }
  patterns.set(pattern, made);
  return made;
}

/** The pattern, with the cost of going through the text once charged. */
function charged(native: NativeContext, source: string, pattern: string): RE2JS {
  const regex = compiled(pattern);
  native.charge(Math.ceil((source.length * Math.min(regex.programSize(), 64)) / PER_OPERATION) + 1);
  return regex;
}

/** Whether a pattern matches anywhere in a text. @throws SdkError for one that is not valid */
export const matchesPattern = (pattern: string, source: string): boolean =>
  compiled(pattern).matcher(source).find();

/** Every match, one after the other. */
function* matches({ native }: CallContext, source: string, pattern: string): Generator<Matcher> {
  const matcher = charged(native, source, pattern).matcher(source);
  while (matcher.find()) {
    native.charge(1);
    yield matcher;
  }
}

const list = (native: NativeContext, items: readonly string[]): Value => {
  native.allocate(items.length * 32);
  return native.checkSize(new RhaiArray([...items]));
};

/** Group 0 is the whole match; a group that took no part is (). */
function captureMap(matcher: Matcher): Value {
  const groups = new Map<string, Value>();
  for (let index = 0; index <= matcher.groupCount(); index++)
    groups.set(String(index), matcher.group(index) ?? undefined);
  for (const [name, value] of Object.entries(matcher.getNamedGroups())) groups.set(name, value ?? undefined);
  return RhaiMap.of(groups);
}

/** A replacement, taken apart: text, and groups by number or name. */
type Template = readonly (string | { readonly group: number | string })[];

const REFERENCE = /\$(?:(\$)|(\d{1,3})|\{(\w{1,64})\})/g;

/** @throws SdkError for a group that the pattern does not have */
function templateOf(by: string, regex: RE2JS): Template {
  const parts: (string | { readonly group: number | string })[] = [];
  let end = 0;
  for (const match of by.matchAll(REFERENCE)) {
    const [all, dollar, number, name = number ?? ""] = match;
    parts.push(by.slice(end, match.index));
    end = match.index + all.length;
    if (dollar !== undefined) {
      parts.push("$");
      continue;
    }
    const group = /^\d+$/.test(name) ? Number(name) : name;
    const exists =
      typeof group === "number" ? group <= regex.groupCount() : Object.hasOwn(regex.namedGroups(), group);
    if (!exists) throw new SdkError(`replacement names the group ${name}, which the pattern does not have`);
    parts.push({ group });
  }
  parts.push(by.slice(end));
  return parts.filter((part) => part !== "");
}

/** The text with the first match, or all, replaced. */
function replaced(context: CallContext, source: string, pattern: string, by: string, all: boolean): string {
  const { native } = context;
  const template = templateOf(by, compiled(pattern));
  const { maxStringSize } = native.limits;
  let result = "";
  let end = 0;
  for (const match of matches(context, source, pattern)) {
    result += source.slice(end, match.start());
    for (const part of template) result += typeof part === "string" ? part : (match.group(part.group) ?? "");
    end = match.end();
    // While it grows, so that it is never much larger than it may become.
    if (maxStringSize > 0 && result.length > maxStringSize) break;
    if (!all) break;
  }
  result += source.slice(end);
  native.allocate(result.length);
  return native.checkSize(result);
}

const SUBJECT = [text("text"), text("pattern", { maxBytes: MAX_PATTERN })] as const;
const REPLACING = [...SUBJECT, text("replacement")] as const;

export const regex: SdkNamespace = {
  name: "regex",
  doc:
    "Regular expressions in the syntax of RE2: matching takes time in proportion to the text, whatever the pattern. " +
    "There are no look-arounds and no back-references.",
  functions: [
    pure({
      name: "is_match",
      params: SUBJECT,
      returns: "bool",
      doc: "Whether the pattern matches anywhere in the text.",
      example: { source: 'regex::is_match("café au lait", "caf.")', result: "true" },
      errors: [
        {
          source: 'regex::is_match("a", "(")',
          message: "regex::is_match: the pattern is not valid: error parsing regexp: missing closing ): `(`",
        },
        {
          source: 'let p = ""; p.pad(4097, "a"); regex::is_match("a", p)',
          message: "regex::is_match: pattern is longer than 4096 bytes",
        },
        {
          source: 'let long = ""; for i in 0..21 { long += "a{1000}" } regex::is_match("a", long)',
          message: "regex::is_match: the pattern is too complex",
        },
      ],
      call: ({ native }, source, pattern) => charged(native, source, pattern).matcher(source).find(),
    }),
    pure({
      name: "find",
      params: SUBJECT,
      returns: "string or ()",
      doc: "The first match; () when there is none.",
      example: { source: 'regex::find("joe@example.com", "@(.+)")', result: '"@example.com"' },
      call: (context, source, pattern) => {
        for (const match of matches(context, source, pattern)) return match.group() ?? undefined;
        return undefined;
      },
    }),
    pure({
      name: "find_all",
      params: SUBJECT,
      returns: "array",
      doc: "All matches that do not overlap, in order.",
      example: { source: 'regex::find_all("a1b22c333", `\\d+`)', result: '["1", "22", "333"]' },
      call: (context, source, pattern) =>
        list(
          context.native,
          Array.from(matches(context, source, pattern), (match) => match.group() ?? ""),
        ),
    }),
    pure({
      name: "captures",
      params: SUBJECT,
      returns: "map or ()",
      doc: 'The groups of the first match, by name and by number ("0" is all of it); () when there is none.',
      example: {
        source: [
          'let parts = regex::captures("joe@example.com", `(?P<user>\\w+)@(.+)`);',
          '[parts.user, parts["2"]]',
        ].join("\n"),
        result: '["joe", "example.com"]',
      },
      call: (context, source, pattern) => {
        for (const match of matches(context, source, pattern)) return captureMap(match);
        return undefined;
      },
    }),
    pure({
      name: "replace",
      params: REPLACING,
      returns: "string",
      doc: "The text with the first match replaced. $1 and ${name} in the replacement stand for groups, $$ for a dollar sign.",
      example: { source: 'regex::replace("a1b2", `\\d`, "#")', result: '"a#b2"' },
      errors: [
        {
          source: 'regex::replace("a", "a", "$1")',
          message: "regex::replace: replacement names the group 1, which the pattern does not have",
        },
      ],
      call: (context, source, pattern, by) => replaced(context, source, pattern, by, false),
    }),
    pure({
      name: "replace_all",
      params: REPLACING,
      returns: "string",
      doc: "The text with every match replaced.",
      example: {
        source: 'regex::replace_all("2026-01-31", `(\\d+)-(\\d+)-(\\d+)`, "$3.$2.$1")',
        result: '"31.01.2026"',
      },
      errors: [
        {
          source: 'regex::replace_all("a", "a", "${name}")',
          message: "regex::replace_all: replacement names the group name, which the pattern does not have",
        },
      ],
      call: (context, source, pattern, by) => replaced(context, source, pattern, by, true),
    }),
    pure({
      name: "split",
      params: SUBJECT,
      returns: "array",
      doc: "What lies between the matches, empty parts included.",
      example: { source: 'regex::split("a, b,,c", `,\\s*`)', result: '["a", "b", "", "c"]' },
      call: (context, source, pattern) => {
        const parts: string[] = [];
        let end = 0;
        for (const match of matches(context, source, pattern)) {
          // An empty match at either end parts nothing.
          if (match.end() === match.start() && (match.start() === 0 || match.start() === source.length))
            continue;
          parts.push(source.slice(end, match.start()));
          end = match.end();
        }
        return list(context.native, [...parts, source.slice(end)]);
      },
    }),
  ],
};
