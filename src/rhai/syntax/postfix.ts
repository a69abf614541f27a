import type { CallExpr, ChainStep, Expr, Ident } from "./ast.ts";
import { exprPosition } from "./expr-position.ts";
import { checkIndex } from "./literal-checks.ts";
import { parseVariableName } from "./names.ts";
import { at, deeper, type ParseState, type Settings } from "./parse-state.ts";
import type { Pos } from "./position.ts";
import {
  fail,
  improperSymbol,
  METHOD_CAPTURE,
  missingToken,
  PROPERTY_EXPECTED,
  reserved,
  unexpectedInput,
} from "./problems.ts";
import { isMethodReserved } from "./reserved.ts";
import type { Token } from "./token.ts";

/** Everything that hangs on the right side of an operand. */
export const parsePostfix = (state: ParseState, outer: Settings, root: Expr): Expr => {
  const { input } = state;
  let expr = root;
  for (let isFirst = true; continues(expr, input.peek()); isFirst = false) {
    const token = input.next();
    const settings: Settings = at(outer, token.pos);
    switch (token.kind) {
      case "[":
      case "?[":
        expr = parseIndices(state, deeper(settings), expr, token);
        break;
      case ".":
      case "?.":
        expr = parseProperty(state, settings, expr, token, isFirst);
        break;
      default:
        if (expr.kind === "Var") expr = parseNameSuffix(state, settings, expr, token);
    }
  }
  return expr;
};

type Name = Extract<Expr, { kind: "Var" }>;

const continues = (expr: Expr, token: Token): boolean => {
  switch (token.kind) {
    case ".":
    case "?.":
    case "[":
    case "?[":
      return true;
    case "(":
    case "()":
    case "!":
    case "::":
      return expr.kind === "Var";
    default:
      return false;
  }
};

/** `name(…)`, `name!(…)`, `space::name`. */
const parseNameSuffix = (state: ParseState, settings: Settings, name: Name, token: Token): Expr => {
  const { input } = state;
  if (token.kind === "::") {
    const path: Ident[] = [...name.path, { name: name.name, pos: name.pos }];
    let member = parseVariableName(input);
    while (input.accept("::") !== null) {
      path.push(member);
      member = parseVariableName(input);
    }
    return { kind: "Var", name: member.name, path, pos: member.pos };
  }
  const inPlace: Settings = at(settings, name.pos);
  if (token.kind !== "!") return parseCall(state, inPlace, name, token.kind === "()", false);

  const next = input.peek();
  const opens = next.kind === "(" || next.kind === "()";
  if (name.path.length > 0) {
    const problem = opens
      ? unexpectedInput("!")
      : improperSymbol("!", "'!' cannot be used to call module functions");
    fail(problem, token.pos);
  }
  if (!opens) fail(missingToken("(", "to start arguments list of function call"), next.pos);
  return parseCall(state, inPlace, name, input.next().kind === "()", true);
};

/** The arguments of a call whose opening parenthesis (or empty pair) is taken. */
const parseCall = (
  state: ParseState,
  outer: Settings,
  name: Name,
  isEmpty: boolean,
  capturesScope: boolean,
): CallExpr => {
  const { input } = state;
  const args: Expr[] = [];
  const call: CallExpr = {
    kind: "Call",
    name: name.name,
    path: name.path,
    args,
    capturesScope,
    pos: name.pos,
  };
  if (isEmpty) return call;
  const unclosed = missingToken(")", `to close the arguments list of this function call '${name.name}'`);

  const first = input.peek();
  if (first.kind === "End") fail(unclosed, first.pos);
  if (first.problem !== null) fail(first.problem, first.pos);
  if (input.accept(")") !== null) return call;

  const settings = deeper(outer);
  for (;;) {
    // A comma may precede the closing parenthesis.
    if (input.peek().kind !== ")") args.push(state.grammar.expression(state, settings));
    const token = input.peek();
    switch (token.kind) {
      case ")":
        input.next();
        return call;
      case ",":
        input.next();
        break;
      case "End":
        fail(unclosed, token.pos);
        break;
      default:
        fail(
          token.problem ?? missingToken(",", `to separate the arguments to function call '${name.name}'`),
          token.pos,
        );
    }
  }
};

/** A chain with steps added; a chain in parentheses goes on without a break. */
const extend = (root: Expr, steps: readonly ChainStep[], pos: Pos): Expr =>
  root.kind === "Chain" ? { ...root, steps: [...root.steps, ...steps] } : { kind: "Chain", root, steps, pos };

/** A row of indices `[a][b]?[c]` whose first bracket is taken. */
const parseIndices = (state: ParseState, outer: Settings, target: Expr, opening: Token): Expr => {
  const { input } = state;
  const steps: ChainStep[] = [];
  let settings = outer;
  let bracket = opening;
  for (let isFirst = true; ; isFirst = false) {
    const index = state.grammar.expression(state, deeper(settings));
    if (isFirst) checkIndex(target, index);
    const close = input.peek();
    if (close.kind !== "]") {
      fail(close.problem ?? missingToken("]", "for a matching [ in this index expression"), close.pos);
    }
    input.next();
    const next = input.peek();
    const goesOn = next.kind === "[" || next.kind === "?[";
    // In a row, the official parser guards an index with the question mark of the next one.
    const optional = (goesOn ? next : bracket).kind === "?[";
    steps.push({ kind: "Index", index, optional, pos: exprPosition(index), opPos: bracket.pos });
    if (!goesOn) return extend(target, steps, opening.pos);
    bracket = input.next();
    settings = deeper(at(settings, bracket.pos));
  }
};

const parseProperty = (
  state: ParseState,
  settings: Settings,
  target: Expr,
  operator: Token,
  isFirst: boolean,
): Expr => {
  const next = state.input.peek();
  if (next.kind === "Name") state.scope.propertyNext = true;
  else if (next.kind !== "Reserved") fail(PROPERTY_EXPECTED, next.pos);
  else if (!isMethodReserved(next.text)) fail(reserved(next.text), next.pos);

  const right = state.grammar.primary(state, deeper(settings), true);
  const head = right.kind === "Chain" ? right.root : right;
  const rest = right.kind === "Chain" ? right.steps : [];
  const optional = operator.kind === "?.";
  if (head.kind === "Call" && head.capturesScope && rest.length === 0) fail(METHOD_CAPTURE, head.pos);
  const step = propertyStep(head, optional, operator.pos);
  const steps = [step, ...rest];
  if (isFirst || target.kind !== "Chain") return extend(target, steps, operator.pos);
  return extend(unguardLastIndices(target), steps, operator.pos);
};

const propertyStep = (head: Expr, optional: boolean, opPos: Pos): ChainStep => {
  const { pos } = head;
  if (head.kind === "Var") return { kind: "Property", name: head.name, optional, pos, opPos };
  if (head.kind === "Call") {
    return { kind: "Method", name: head.name, args: head.args, optional, pos, opPos };
  }
  return fail(PROPERTY_EXPECTED, exprPosition(head));
};

type Chain = Extract<Expr, { kind: "Chain" }>;

/** The official parser drops the question marks of indices directly before a period. */
const unguardLastIndices = (chain: Chain): Chain => {
  const steps = [...chain.steps];
  for (let place = steps.length - 1; place >= 0; place--) {
    const step = steps[place];
    if (step?.kind !== "Index") break;
    steps[place] = { ...step, optional: false };
  }
  return { ...chain, steps };
};
