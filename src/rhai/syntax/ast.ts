import type { Pos } from "./position.ts";

/**
 * The abstract syntax tree. The parser builds it, everything after reads it. Nodes are plain data with a
 * `kind`; positions are the ones that official error messages name.
 */

/** A variable or parameter name with its place. */
export interface Ident {
  readonly name: string;
  readonly pos: Pos;
}

export type Expr =
  | { readonly kind: "Unit"; readonly pos: Pos }
  | { readonly kind: "Bool"; readonly value: boolean; readonly pos: Pos }
  /** An i64: a number while it is a safe integer, else a bigint. */
  | { readonly kind: "Int"; readonly value: number | bigint; readonly pos: Pos }
  | { readonly kind: "Float"; readonly value: number; readonly pos: Pos }
  /** One Unicode scalar value. */
  | { readonly kind: "Char"; readonly value: string; readonly pos: Pos }
  | { readonly kind: "Str"; readonly value: string; readonly pos: Pos }
  /**
   * A back-tick string with holes: the parts in order, `Str` for text (never empty) and `StmtExpr` with a `Block` for
   * a hole.
   */
  | { readonly kind: "Interpolated"; readonly parts: readonly Expr[]; readonly pos: Pos }
  | { readonly kind: "Array"; readonly items: readonly Expr[]; readonly pos: Pos }
  | { readonly kind: "Map"; readonly entries: readonly MapEntry[]; readonly pos: Pos }
  /** `name` or `space::name`; `path` holds the namespace segments, empty for a plain variable. */
  | { readonly kind: "Var"; readonly name: string; readonly path: readonly Ident[]; readonly pos: Pos }
  | { readonly kind: "This"; readonly pos: Pos }
  | CallExpr
  /** A root followed by properties, methods and indices: `a.b[c]?.d(e)`. Never has zero steps. */
  | ChainExpr
  /** `-x`, `+x`, `!x` on anything but a literal number (whose sign belongs to the literal). */
  | { readonly kind: "Unary"; readonly op: "-" | "+" | "!"; readonly operand: Expr; readonly pos: Pos }
  | {
      readonly kind: "Binary";
      readonly op: BinaryOp;
      readonly left: Expr;
      readonly right: Expr;
      readonly pos: Pos;
    }
  /** Short-circuit operators. */
  | {
      readonly kind: "Logical";
      readonly op: "&&" | "||" | "??";
      readonly left: Expr;
      readonly right: Expr;
      readonly pos: Pos;
    }
  /** `|x| …`: `captures` are the outer variables it shares, in the order of first mention. */
  | { readonly kind: "Closure"; readonly fn: FnDef; readonly captures: readonly Ident[]; readonly pos: Pos }
  /** `if`, `switch`, a loop or a block where a value is expected. */
  | { readonly kind: "StmtExpr"; readonly stmt: Stmt; readonly pos: Pos };

export type BinaryOp =
  | "+"
  | "-"
  | "*"
  | "/"
  | "%"
  | "**"
  | "<<"
  | ">>"
  | "&"
  | "|"
  | "^"
  | "=="
  | "!="
  | "<"
  | "<="
  | ">"
  | ">="
  | ".."
  | "..="
  | "in"
  | "!in";

export interface MapEntry {
  readonly key: string;
  readonly keyPos: Pos;
  readonly value: Expr;
}

/** `f(x)`, `space::f(x)` or, with `capturesScope`, `f!(x)`. */
export interface CallExpr {
  readonly kind: "Call";
  readonly name: string;
  readonly path: readonly Ident[];
  readonly args: readonly Expr[];
  readonly capturesScope: boolean;
  readonly pos: Pos;
}

export interface ChainExpr {
  readonly kind: "Chain";
  readonly root: Expr;
  readonly steps: readonly ChainStep[];
  /** The position the official tree gives the whole chain. */
  readonly pos: Pos;
}

/** One link of a chain. `optional` marks `?.` and `?[`: on `()` the whole rest of the chain is skipped. */
export type ChainStep =
  | {
      readonly kind: "Property";
      readonly name: string;
      readonly optional: boolean;
      readonly pos: Pos;
      readonly opPos: Pos;
    }
  | {
      readonly kind: "Method";
      readonly name: string;
      readonly args: readonly Expr[];
      readonly optional: boolean;
      readonly pos: Pos;
      readonly opPos: Pos;
    }
  | {
      readonly kind: "Index";
      readonly index: Expr;
      readonly optional: boolean;
      readonly pos: Pos;
      readonly opPos: Pos;
    };

export type AssignOp = "=" | "+=" | "-=" | "*=" | "/=" | "%=" | "**=" | "<<=" | ">>=" | "&=" | "|=" | "^=";

export interface Block {
  readonly body: readonly Stmt[];
  readonly pos: Pos;
  readonly end: Pos;
}

export type Stmt =
  | { readonly kind: "Noop"; readonly pos: Pos }
  | { readonly kind: "Expr"; readonly expr: Expr; readonly pos: Pos }
  | {
      readonly kind: "Let";
      readonly name: Ident;
      readonly constant: boolean;
      readonly exported: boolean;
      /** Absent in `let x;`. */
      readonly value: Expr | null;
      readonly comments: readonly string[];
      readonly pos: Pos;
    }
  /** `target` is a `Var`, a `This` or a `Chain` that ends in a property or an index. `pos` is the operator's. */
  | {
      readonly kind: "Assign";
      readonly op: AssignOp;
      readonly target: Expr;
      readonly value: Expr;
      readonly pos: Pos;
    }
  | { readonly kind: "Block"; readonly block: Block; readonly pos: Pos }
  /** `otherwise` is a `Block` or, for `else if`, another `If`. */
  | {
      readonly kind: "If";
      readonly test: Expr;
      readonly then: Block;
      readonly otherwise: Stmt | null;
      readonly pos: Pos;
    }
  | {
      readonly kind: "Switch";
      readonly subject: Expr;
      readonly arms: readonly SwitchArm[];
      readonly pos: Pos;
    }
  /** `test` is null for `loop`. */
  | { readonly kind: "While"; readonly test: Expr | null; readonly body: Block; readonly pos: Pos }
  | {
      readonly kind: "Do";
      readonly test: Expr;
      readonly until: boolean;
      readonly body: Block;
      readonly pos: Pos;
    }
  | {
      readonly kind: "For";
      readonly item: Ident;
      readonly counter: Ident | null;
      readonly iterable: Expr;
      readonly body: Block;
      readonly pos: Pos;
    }
  | { readonly kind: "Break"; readonly value: Expr | null; readonly pos: Pos }
  /** Official Rhai accepts (and evaluates) no value after `continue`. */
  | { readonly kind: "Continue"; readonly pos: Pos }
  | { readonly kind: "Return"; readonly value: Expr | null; readonly pos: Pos }
  | { readonly kind: "Throw"; readonly value: Expr | null; readonly pos: Pos }
  | {
      readonly kind: "Try";
      readonly body: Block;
      readonly variable: Ident | null;
      readonly handler: Block;
      readonly pos: Pos;
    }
  | { readonly kind: "Import"; readonly module: Expr; readonly alias: Ident | null; readonly pos: Pos }
  | { readonly kind: "Export"; readonly name: Ident; readonly alias: Ident | null; readonly pos: Pos };

export interface SwitchArm {
  /** One entry per alternative of `a | b | 3..5`; empty for the default arm `_`. */
  readonly patterns: readonly SwitchPattern[];
  readonly guard: Expr | null;
  readonly body: Stmt;
  readonly pos: Pos;
}

export type SwitchPattern =
  /**
   * A literal: `Unit`, `Bool`, `Int`, `Float`, `Char`, `Str`, an `Array` or `Map` of literals, a `Closure` without
   * captures, or a `Call` of `Fn` with the name of a function.
   */
  | { readonly kind: "Value"; readonly value: Expr; readonly pos: Pos }
  /**
   * Integers in a range, which floats match too. An open end is the largest i64, an open beginning 0. A range that is
   * empty is kept. Officially a range value equal to the range matches as well, as with any other literal.
   */
  | {
      readonly kind: "Range";
      readonly from: number | bigint;
      readonly to: number | bigint;
      readonly inclusive: boolean;
      readonly pos: Pos;
    };

export interface FnDef {
  readonly name: string;
  /** The type of `fn type.name(…)`, or null. */
  readonly thisType: string | null;
  readonly params: readonly Ident[];
  readonly body: Block;
  readonly isPrivate: boolean;
  /** Doc comments, with their markers. */
  readonly comments: readonly string[];
  /** The keyword `fn`, or the bar that opens a closure. */
  readonly pos: Pos;
}

export interface Script {
  readonly body: readonly Stmt[];
  /** Functions of the script in source order; anonymous ones hang on their `Closure` expression only. */
  readonly functions: readonly FnDef[];
  /** `//!` comments at the top. */
  readonly comments: readonly string[];
}
