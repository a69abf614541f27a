import type { BinaryOp, Expr } from "./ast.ts";
import { exprPosition, stmtPosition } from "./expr-position.ts";
import { isValidName } from "./characters.ts";
import { compact } from "./lex-number.ts";
import { requireBoolean } from "./literal-checks.ts";
import { at, deeper, isStop, type ParseState, type Settings } from "./parse-state.ts";
import type { Pos } from "./position.ts";
import { parsePrimary } from "./primary.ts";
import { fail, UNEXPECTED_END, unexpectedInput, unknownOperator } from "./problems.ts";
import type { Token, TokenKind } from "./token.ts";

/** How tightly binary operators bind; all but `**` bind to the left. */
const PRECEDENCE: ReadonlyMap<TokenKind, number> = new Map<TokenKind, number>([
  ["||", 30],
  ["^", 30],
  ["|", 30],
  ["&&", 60],
  ["&", 60],
  ["==", 90],
  ["!=", 90],
  ["in", 110],
  ["!in", 110],
  ["<", 130],
  ["<=", 130],
  [">", 130],
  [">=", 130],
  ["??", 135],
  ["..", 140],
  ["..=", 140],
  ["+", 150],
  ["-", 150],
  ["*", 180],
  ["/", 180],
  ["%", 180],
  ["**", 190],
  ["<<", 210],
  [">>", 210],
]);

const PREFIXES: ReadonlySet<TokenKind> = new Set<TokenKind>(["-", "unary-", "+", "unary+", "!"]);

/** Tokens after which a range `a..` is open. */
const ENDS_RANGE: ReadonlySet<TokenKind> = new Set<TokenKind>(["]", ")", "}", ",", ";", "=>"]);

/** Statements that may stand to the right of `??`. */
const LEAVES: ReadonlySet<TokenKind> = new Set<TokenKind>(["break", "continue", "return", "throw"]);

export const parseExpression = (state: ParseState, outer: Settings): Expr => {
  const settings = deeper(at(outer, state.input.pos));
  return parseBinary(state, settings, 1, parseUnary(state, settings));
};

const parseUnary = (state: ParseState, outer: Settings): Expr => {
  const token = state.input.peek();
  if (isStop(state, token)) return fail(unexpectedInput(token.text), token.pos);
  const settings = at(outer, token.pos);
  if (PREFIXES.has(token.kind)) state.marks?.prefixes.add(token.start);
  switch (token.kind) {
    case "-":
    case "unary-":
      state.input.next();
      return negate(parseUnary(state, deeper(settings)), token.pos);
    case "+":
    case "unary+": {
      state.input.next();
      const operand = parseUnary(state, deeper(settings));
      if (operand.kind === "Int" || operand.kind === "Float") return operand;
      return { kind: "Unary", op: "+", operand, pos: token.pos };
    }
    case "!":
      state.input.next();
      return { kind: "Unary", op: "!", operand: parseUnary(state, deeper(settings)), pos: token.pos };
    case "End":
      return fail(UNEXPECTED_END, token.pos);
    default:
      return parsePrimary(state, settings, false);
  }
};

/** A minus before a literal number belongs to the number; the smallest integer turns into a float. */
const negate = (operand: Expr, pos: Pos): Expr => {
  if (operand.kind === "Float") return { kind: "Float", value: -operand.value, pos };
  if (operand.kind !== "Int") return { kind: "Unary", op: "-", operand, pos };
  const { value } = operand;
  if (typeof value === "number") return { kind: "Int", value: value === 0 ? 0 : -value, pos };
  if (value === -(2n ** 63n)) return { kind: "Float", value: 2 ** 63, pos };
  return { kind: "Int", value: compact(-value), pos };
};

const precedenceOf = (token: Token): number => {
  if (token.kind === "Reserved" && !isValidName(token.text)) fail(unknownOperator(token.text), token.pos);
  return PRECEDENCE.get(token.kind) ?? 0;
};

const parseBinary = (state: ParseState, outer: Settings, minimum: number, left: Expr): Expr => {
  const { input } = state;
  let settings: Settings = at(outer, exprPosition(left));
  let root = left;
  for (;;) {
    const operator = input.peek();
    if (isStop(state, operator)) return root;
    const precedence = precedenceOf(operator);
    const bindsRight = operator.kind === "**";
    if (precedence < minimum || (precedence === minimum && !bindsRight)) return root;
    input.next();

    const operand = parseOperand(state, settings, operator);
    const following = precedenceOf(input.peek());
    const toRight = precedence < following || (precedence === following && bindsRight);
    const right = toRight ? parseBinary(state, deeper(settings), precedence, operand) : operand;
    // Each operator of a flat row counts as a level too.
    settings = { ...deeper(settings), pos: operator.pos };
    root = combine(operator, root, right);
  }
};

const parseOperand = (state: ParseState, settings: Settings, operator: Token): Expr => {
  const next = state.input.peek();
  if (operator.kind === "??" && LEAVES.has(next.kind)) {
    const stmt = state.grammar.statement(state, settings);
    return { kind: "StmtExpr", stmt, pos: stmtPosition(stmt) };
  }
  if ((operator.kind === ".." || operator.kind === "..=") && ENDS_RANGE.has(next.kind)) {
    return { kind: "Unit", pos: next.pos };
  }
  return parseUnary(state, settings);
};

const combine = (operator: Token, left: Expr, right: Expr): Expr => {
  const { kind, pos } = operator;
  if (kind === "&&" || kind === "||") {
    return { kind: "Logical", op: kind, left: requireBoolean(left), right: requireBoolean(right), pos };
  }
  if (kind === "??") return { kind: "Logical", op: kind, left, right, pos };
  // Only the kinds of the precedence table get here.
  return { kind: "Binary", op: kind as BinaryOp, left, right, pos };
};
