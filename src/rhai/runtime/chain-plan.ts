import type { Pos } from "../syntax/position.ts";
import type { MethodSite } from "./program.ts";
import type { Value } from "./values.ts";

/** What is known of a chain when it is compiled. */

export interface PropertyStep {
  readonly kind: "property";
  readonly name: string;
  readonly optional: boolean;
  readonly pos: Pos;
  readonly opPos: Pos;
}

export interface IndexStep {
  readonly kind: "index";
  /** Which of the evaluated values. */
  readonly at: number;
  readonly optional: boolean;
  readonly pos: Pos;
  readonly opPos: Pos;
}

export interface MethodStep {
  readonly kind: "method";
  readonly name: string;
  readonly site: MethodSite;
  /** Its arguments are the evaluated values from `at`, `count` of them. */
  readonly at: number;
  readonly count: number;
  readonly optional: boolean;
  readonly pos: Pos;
  readonly argPos: Pos;
}

export type Step = PropertyStep | IndexStep | MethodStep;

export interface Assignment {
  /** The operator with its `=`. */
  readonly op: string;
  readonly value: Value;
  readonly pos: Pos;
  /** The root's name and place, for the error of a constant. */
  readonly name: string;
  readonly rootPos: Pos;
}

/** Static parts of an assignment. */
export type Operator = Omit<Assignment, "value">;

/** Static parts of a chain. */
export interface ChainPlan {
  readonly steps: readonly Step[];
  /** Whether it can change what it starts from: it assigns, or a method of it may. */
  readonly mutating: boolean;
}

/** Those of a chain that ends in an assignment. */
export interface AssignmentPlan extends ChainPlan {
  readonly operator: Operator;
}

export const propertyStep = (name: string, pos: Pos, opPos: Pos, optional = false): PropertyStep => ({
  kind: "property",
  name,
  optional,
  pos,
  opPos,
});

export const indexStep = (at: number, pos: Pos, opPos: Pos, optional = false): IndexStep => ({
  kind: "index",
  at,
  optional,
  pos,
  opPos,
});

export const methodStep = (
  site: MethodSite,
  at: number,
  count: number,
  pos: Pos,
  argPos: Pos,
  optional = false,
): MethodStep => ({ kind: "method", name: site.name, site, at, count, optional, pos, argPos });

export const operatorPlan = (op: string, pos: Pos, name: string, rootPos: Pos): Operator => ({
  op,
  pos,
  name,
  rootPos,
});
