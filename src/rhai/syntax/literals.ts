import type { Expr, Ident, MapEntry } from "./ast.ts";
import { isValidName } from "./characters.ts";
import { at, deeper, type ParseState, type Settings, Where } from "./parse-state.ts";
import {
  duplicatedProperty,
  fail,
  literalTooLarge,
  missingToken,
  PROPERTY_EXPECTED,
  reserved,
} from "./problems.ts";
import type { TokenSource } from "./token-source.ts";

const ARRAY_OPEN = missingToken("]", "to end this array literal");

export const parseArray = (state: ParseState, outer: Settings): Expr => {
  const { input, limits } = state;
  const settings: Settings = at(outer, input.next().pos);
  const items: Expr[] = [];
  for (;;) {
    // The size is checked before the closing bracket is looked for, so a full array is too large.
    if (limits.maxArraySize > 0 && items.length >= limits.maxArraySize) {
      fail(literalTooLarge("Size of array literal", limits.maxArraySize), input.pos);
    }
    if (input.accept("]") !== null) break;
    if (input.peek().kind === "End") fail(ARRAY_OPEN, input.pos);
    items.push(state.grammar.expression(state, deeper(settings)));

    const token = input.peek();
    if (token.kind === ",") input.next();
    else if (token.kind === "End") fail(ARRAY_OPEN, token.pos);
    else if (token.kind !== "]") {
      fail(token.problem ?? missingToken(",", "to separate the items of this array literal"), token.pos);
    }
  }
  return { kind: "Array", items, pos: settings.pos };
};

const MAP_OPEN = missingToken("}", "to end this object map literal");

export const parseMap = (state: ParseState, outer: Settings): Expr => {
  const { input, limits } = state;
  const settings: Settings = at(outer, input.next().pos);
  const entries: MapEntry[] = [];
  const keys = new Set<string>();
  while (input.accept("}") === null) {
    if (input.peek().kind === "End") fail(MAP_OPEN, input.pos);
    const key = parseKey(input, keys, (settings.where & Where.QuotedKeys) !== 0);
    if (limits.maxMapSize > 0 && entries.length >= limits.maxMapSize) {
      fail(literalTooLarge("Number of properties in object map literal", limits.maxMapSize), input.pos);
    }
    const value = state.grammar.expression(state, deeper(settings));
    keys.add(key.name);
    entries.push({ key: key.name, keyPos: key.pos, value });

    const token = input.peek();
    if (token.kind === ",") {
      input.next();
    } else if (token.kind === "Name") {
      fail(missingToken(",", "to separate the items of this object map literal"), token.pos);
    } else if (token.kind !== "}") {
      fail(token.problem ?? MAP_OPEN, token.pos);
    }
  }
  return { kind: "Map", entries, pos: settings.pos };
};

/** A property name with its colon. */
const parseKey = (input: TokenSource, keys: ReadonlySet<string>, quoted: boolean): Ident => {
  const token = input.next();
  const { text: name, pos } = token;
  if (quoted && token.kind === "Name") fail(PROPERTY_EXPECTED, pos);
  if (token.kind === "Name" || token.kind === "Str") {
    if (keys.has(name)) fail(duplicatedProperty(name), pos);
  } else if (token.kind === "Interpolated") {
    fail(PROPERTY_EXPECTED, pos);
  } else if (token.kind === "Reserved" && isValidName(name)) {
    fail(reserved(name), pos);
  } else {
    fail(token.problem ?? (keys.size === 0 ? MAP_OPEN : PROPERTY_EXPECTED), pos);
  }
  const colon = input.next();
  if (colon.kind !== ":") {
    fail(
      colon.problem ?? missingToken(":", `to follow the property '${name}' in this object map literal`),
      colon.pos,
    );
  }
  return { name, pos };
};

/** A back-tick string with holes. */
export const parseInterpolated = (state: ParseState, outer: Settings): Expr => {
  const { input } = state;
  const settings = deeper(outer);
  const parts: Expr[] = [];
  for (let token = input.next(); ; token = input.nextText()) {
    if (token.problem !== null) fail(token.problem, token.pos);
    if (token.text !== "") parts.push({ kind: "Str", value: token.text, pos: token.pos });
    if (token.kind !== "Interpolated") break;
    const hole = state.grammar.block(state, settings);
    parts.push({ kind: "StmtExpr", stmt: hole, pos: hole.pos });
  }
  return { kind: "Interpolated", parts, pos: outer.pos };
};
