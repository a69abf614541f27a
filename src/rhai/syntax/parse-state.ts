import type { Expr, FnDef, Ident, Stmt } from "./ast.ts";
import { NONE, type Pos } from "./position.ts";
import { fail, TOO_DEEP } from "./problems.ts";
import type { Token } from "./token.ts";
import type { TokenSource } from "./token-source.ts";

/** 0 in any member means no limit. */
export interface ParseLimits {
  /** Levels of nested expressions and statements outside of functions. */
  readonly maxExprDepth: number;
  /** The same within functions; closures count with their surroundings. */
  readonly maxFunctionExprDepth: number;
  /** Bytes of UTF-8 in a string literal. */
  readonly maxStringSize: number;
  /** An array literal must stay below this number of items. */
  readonly maxArraySize: number;
  /** Properties of a map literal. */
  readonly maxMapSize: number;
  /** Functions, closures included. */
  readonly maxFunctions: number;
}

export const DEFAULT_LIMITS: ParseLimits = {
  maxExprDepth: 64,
  maxFunctionExprDepth: 32,
  maxStringSize: 0,
  maxArraySize: 0,
  maxMapSize: 0,
  maxFunctions: 0,
};

/**
 * Deepest nesting whatever the limits say. A level takes the parser up to three calls of JavaScript; this bound stays
 * well within the stack of a worker, also for the passes that walk the tree.
 */
export const HARD_DEPTH = 256;

export const depthLimit = (limit: number): number => (limit > 0 ? Math.min(limit, HARD_DEPTH) : HARD_DEPTH);

/** Where the construct being parsed stands. */
export const enum Where {
  Global = 1,
  Function = 2,
  Loop = 4,
  /** In JSON, where property names are in quotes. */
  QuotedKeys = 8,
  /** In JSON, where a loop is no expression. */
  NoLoops = 16,
}

/** What is handed down from a construct to those in it. */
export interface Settings {
  /** Bits of `Where`. */
  readonly where: number;
  readonly level: number;
  readonly maxLevel: number;
  /** Place that is blamed when the next level is too deep. */
  readonly pos: Pos;
}

export const deeper = (settings: Settings): Settings => {
  if (settings.level >= settings.maxLevel) fail(TOO_DEEP, settings.pos);
  return { where: settings.where, level: settings.level + 1, maxLevel: settings.maxLevel, pos: settings.pos };
};

/** The same at another place. Written out, as there is one for every token or two. */
export const at = (settings: Settings, pos: Pos): Settings => ({
  where: settings.where,
  level: settings.level,
  maxLevel: settings.maxLevel,
  pos,
});

export const deeperAt = (settings: Settings, pos: Pos): Settings => deeper(at(settings, pos));

export interface Variable {
  readonly name: string;
  constant: boolean;
  exported: boolean;
}

/** The variables in sight of a script or function body as the run will find them, innermost last. */
export class VariableStack {
  /** Size at the beginning of the current block. */
  frame = 0;
  private readonly entries: Variable[] = [];
  private readonly places = new Map<string, number[]>();

  get size(): number {
    return this.entries.length;
  }

  push(name: string, constant: boolean): Variable {
    const variable: Variable = { name, constant, exported: false };
    const places = this.places.get(name);
    if (places === undefined) this.places.set(name, [this.entries.length]);
    else places.push(this.entries.length);
    this.entries.push(variable);
    return variable;
  }

  truncate(size: number): void {
    while (this.entries.length > size) {
      const variable = this.entries.pop();
      if (variable !== undefined) this.places.get(variable.name)?.pop();
    }
  }

  /** How far the innermost variable of the name lies below the top, counted from 1; 0 if there is none. */
  distance(name: string): number {
    const place = this.places.get(name)?.at(-1);
    return place === undefined ? 0 : this.entries.length - place;
  }

  /** The variable at a distance from the top. */
  below(distance: number): Variable | undefined {
    return this.entries[this.entries.length - distance];
  }

  /** Is the variable at this distance one of the current block? */
  inBlock(distance: number): boolean {
    return this.entries.length - distance >= this.frame;
  }
}

/** What belongs to one script, function or closure body. */
export class Scope {
  readonly variables = new VariableStack();
  /** Variables mentioned but not declared in it, in order of first mention: what a closure captures. */
  readonly outer: Ident[] = [];
  /** Set before a property name, which is no mention of a variable. */
  propertyNext = false;
  /** Within the patterns of a `switch`, where a bar separates and is no operator. */
  stopAtBar = false;
  private readonly outerNames = new Set<string>();

  mentionOuter(name: string, pos: Pos): void {
    if (this.outerNames.has(name)) return;
    this.outerNames.add(name);
    this.outer.push({ name, pos });
  }
}

/** The functions met so far. */
export class Program {
  readonly functions: FnDef[] = [];
  readonly names = new Set<string>();
  readonly signatures = new Set<string>();
  closures = 0;

  get size(): number {
    return this.functions.length + this.closures;
  }
}

export type BlockStmt = Extract<Stmt, { kind: "Block" }>;

/**
 * The productions through which the grammar recurs. Files of the parser reach each other through it, so that their
 * imports have no cycles.
 */
export interface Grammar {
  readonly statement: (state: ParseState, settings: Settings) => Stmt;
  /** A block in braces. */
  readonly block: (state: ParseState, settings: Settings) => BlockStmt;
  readonly expression: (state: ParseState, settings: Settings) => Expr;
  /**
   * An operand with everything that hangs on its right side.
   * `isProperty`: it stands behind a period, so it is no variable and has no namespace.
   */
  readonly primary: (state: ParseState, settings: Settings, isProperty: boolean) => Expr;
}

/**
 * What the formatter must know about tokens beyond their text, by their offsets: the parser notes it on request.
 */
export class Marks {
  /** First tokens of statements in blocks and at the top. */
  readonly statements = new Set<number>();
  /** First tokens of the arms of `switch`. */
  readonly arms = new Set<number>();
  /** Signs and exclamation marks before an operand. */
  readonly prefixes = new Set<number>();
  /** Bars before and behind the parameters of closures. */
  readonly openBars = new Set<number>();
  readonly closeBars = new Set<number>();
}

export interface ParseState {
  readonly marks: Marks | null;
  readonly grammar: Grammar;
  readonly input: TokenSource;
  readonly limits: ParseLimits;
  readonly program: Program;
  readonly scope: Scope;
}

export const newState = (
  grammar: Grammar,
  input: TokenSource,
  limits: ParseLimits,
  marks: Marks | null,
): ParseState => ({
  marks,
  grammar,
  input,
  limits,
  program: new Program(),
  scope: new Scope(),
});

/** The state for the body of a function or closure: same source, other variables. */
export const innerState = (state: ParseState): ParseState => ({ ...state, scope: new Scope() });

export const globalSettings = (limits: ParseLimits): Settings => ({
  where: Where.Global,
  level: 0,
  maxLevel: depthLimit(limits.maxExprDepth),
  pos: NONE,
});

/**
 * Notes that a variable is read or written by its name. Names of functions defined further up are function pointers
 * and no variables.
 */
export const mention = (state: ParseState, name: string, pos: Pos): void => {
  const { scope, program } = state;
  if (scope.propertyNext) {
    scope.propertyNext = false;
  } else if (scope.variables.distance(name) === 0 && !program.names.has(name)) {
    scope.mentionOuter(name, pos);
  }
};

/** In the patterns of `switch` an expression ends at a bar. */
export const isStop = (state: ParseState, token: Token): boolean =>
  state.scope.stopAtBar && token.kind === "|";
