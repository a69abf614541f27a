/** What documents are asked for: a filter of CONTRACT 4.2 and 14.10, read and checked. */
export interface Query {
  readonly where: Condition;
  readonly sort: readonly SortKey[];
  /** Documents at most; null: as many as the call gives when it is not told. */
  readonly limit: number | null;
  /** Fields of the data that are wanted; null: all. */
  readonly select: readonly Path[] | null;
  readonly cursor: string | null;
}

/** Keys from the outermost to the innermost. */
export type Path = readonly string[];

export interface SortKey {
  readonly path: Path;
  readonly descending: boolean;
}

/** A scalar as JSON text, with its type. */
export interface Scalar {
  readonly type: "number" | "string" | "boolean";
  readonly json: string;
}

export type Condition =
  | { readonly kind: "all" | "any"; readonly of: readonly Condition[] }
  | { readonly kind: "not"; readonly of: Condition }
  /** Null and missing alike for `null`. */
  | { readonly kind: "equal"; readonly path: Path; readonly json: string }
  | { readonly kind: "in"; readonly path: Path; readonly json: readonly string[] }
  | {
      readonly kind: "order";
      readonly path: Path;
      readonly than: "<" | "<=" | ">" | ">=";
      readonly value: Scalar;
    }
  | { readonly kind: "exists"; readonly path: Path }
  /** An array holds an element equal to it; a string holds it, if it is one. */
  | { readonly kind: "contains"; readonly path: Path; readonly json: string; readonly text: string | null }
  /** Decided outside of SQL; there it is true. */
  | { readonly kind: "regex"; readonly path: Path; readonly pattern: string };

/** The conditions below a condition, itself included. */
export function* conditionsIn(condition: Condition): Generator<Condition> {
  yield condition;
  if (condition.kind === "all" || condition.kind === "any") {
    for (const inner of condition.of) yield* conditionsIn(inner);
  } else if (condition.kind === "not") yield* conditionsIn(condition.of);
}

/** The conditions that must hold, whatever else does: those that an index may answer. */
export function necessary(condition: Condition): readonly Condition[] {
  return condition.kind === "all" ? condition.of.flatMap(necessary) : [condition];
}
