import type { Expr, Stmt } from "./ast.ts";
import { parseClosure } from "./closures.ts";
import { parseIf } from "./conditionals.ts";
import { stmtPosition } from "./expr-position.ts";
import { parseArray, parseInterpolated, parseMap } from "./literals.ts";
import { parseLoop } from "./loops.ts";
import { at, deeper, isStop, mention, type ParseState, type Settings, Where } from "./parse-state.ts";
import { parsePostfix } from "./postfix.ts";
import {
  fail,
  improperSymbol,
  missingToken,
  reserved,
  TOO_MANY_FUNCTIONS,
  UNEXPECTED_END,
  unexpectedInput,
} from "./problems.ts";
import { isCallableReserved } from "./reserved.ts";
import { parseSwitch } from "./switch.ts";
import type { Token } from "./token.ts";

/**
 * An operand with everything that hangs on its right side: calls, indices, properties.
 * @param isProperty it stands behind a period, so it is no variable and has no namespace.
 */
export const parsePrimary = (state: ParseState, outer: Settings, isProperty: boolean): Expr => {
  const token = state.input.peek();
  if (isStop(state, token)) fail(unexpectedInput(token.text), token.pos);
  const settings: Settings = at(outer, token.pos);
  const root = parseRoot(state, settings, token, isProperty);
  return isStop(state, state.input.peek()) ? root : parsePostfix(state, settings, root);
};

const parseRoot = (state: ParseState, settings: Settings, token: Token, isProperty: boolean): Expr => {
  const { input } = state;
  const { pos } = token;
  switch (token.kind) {
    case "End":
      return fail(UNEXPECTED_END, pos);
    case "()":
      input.next();
      return { kind: "Unit", pos };
    case "Int":
      input.next();
      return { kind: "Int", value: token.value, pos };
    case "Float":
      input.next();
      return { kind: "Float", value: Number(token.value), pos };
    case "Char":
    case "Str":
      input.next();
      return { kind: token.kind, value: token.text, pos };
    case "true":
    case "false":
      input.next();
      return { kind: "Bool", value: token.kind === "true", pos };
    case "..":
    case "..=":
      // A range without a beginning starts at zero; the operator is read by the caller.
      return { kind: "Int", value: 0, pos };
    case "{":
      return asExpression(state.grammar.block(state, deeper(settings)));
    case "(":
      return parseParentheses(state, settings);
    case "if":
      return asExpression(parseIf(state, deeper(settings)));
    case "while":
    case "loop":
    case "do":
    case "for":
      if ((settings.where & Where.NoLoops) !== 0) fail(unexpectedInput(token.text), pos);
      return asExpression(parseLoop(state, deeper(settings), token.kind));
    case "switch":
      return asExpression(parseSwitch(state, deeper(settings)));
    case "|":
    case "||": {
      const { maxFunctions } = state.limits;
      if (maxFunctions > 0 && state.program.size >= maxFunctions) fail(TOO_MANY_FUNCTIONS, pos);
      return parseClosure(state, settings);
    }
    case "Interpolated":
      return parseInterpolated(state, settings);
    case "[":
      return parseArray(state, deeper(settings));
    case "#{":
      return parseMap(state, deeper(settings));
    case "Name":
      input.next();
      return parseName(state, token, isProperty);
    case "Reserved":
      input.next();
      return parseReserved(state, settings, token);
    case "Error":
      input.next();
      return fail(token.problem ?? unexpectedInput(token.text), pos);
    default:
      return fail(unexpectedInput(token.text), pos);
  }
};

const asExpression = (stmt: Stmt): Expr => ({ kind: "StmtExpr", stmt, pos: stmtPosition(stmt) });

const parseParentheses = (state: ParseState, settings: Settings): Expr => {
  state.input.next();
  const expr = state.grammar.expression(state, deeper(settings));
  const close = state.input.next();
  if (close.kind === ")") return expr;
  return fail(close.problem ?? missingToken(")", "for a matching ( in this expression"), close.pos);
};

const opensCall = (token: Token): boolean => token.kind === "(" || token.kind === "!" || token.kind === "()";

const parseName = (state: ParseState, token: Token, isProperty: boolean): Expr => {
  const next = state.input.peek();
  if (next.kind === "::" && isProperty) fail(improperSymbol("::", ""), next.pos);
  if (opensCall(next) || next.kind === "::") state.scope.propertyNext = false;
  else mention(state, token.text, token.pos);
  return { kind: "Var", name: token.text, path: [], pos: token.pos };
};

const parseReserved = (state: ParseState, settings: Settings, token: Token): Expr => {
  const { text, pos } = token;
  if (opensCall(state.input.peek()) && isCallableReserved(text)) {
    return { kind: "Var", name: text, path: [], pos };
  }
  if (text !== "this") return fail(reserved(text), pos);
  if ((settings.where & Where.Function) !== 0) return { kind: "This", pos };
  return fail(improperSymbol(text, "'this' can only be used in functions"), pos);
};
