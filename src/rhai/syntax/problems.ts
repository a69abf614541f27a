import { isValidName } from "./characters.ts";
import type { Pos } from "./position.ts";

/**
 * Everything that can be wrong with a source text. `code` is the name of the official error variant, `message` its
 * official text without the prefix `Syntax error: ` and without the position.
 */
export interface Problem {
  readonly code: string;
  readonly message: string;
}

/** Unwinds the parser to its entry point. Never leaves this folder. */
export class SyntaxFailure extends Error {
  readonly problem: Problem;
  readonly pos: Pos;

  constructor(problem: Problem, pos: Pos) {
    super(problem.message);
    this.problem = problem;
    this.pos = pos;
  }
}

export const fail = (problem: Problem, pos: Pos): never => {
  throw new SyntaxFailure(problem, pos);
};

const fixed = (code: string, message: string): Problem => ({ code, message });

// Found by the lexer.

export const UNTERMINATED_STRING = fixed("UnterminatedString", "Open string is not terminated");

export const unexpectedInput = (text: string): Problem => fixed("UnexpectedInput", `Unexpected '${text}'`);

export const malformedEscape = (text: string): Problem =>
  fixed("MalformedEscapeSequence", `Invalid escape sequence: '${text}'`);

export const malformedNumber = (text: string): Problem =>
  fixed("MalformedNumber", `Invalid number: '${text}'`);

export const malformedChar = (text: string): Problem =>
  fixed("MalformedChar", `Invalid character: '${text}'`);

export const malformedIdentifier = (text: string): Problem =>
  fixed("MalformedIdentifier", `Variable name is not proper: '${text}'`);

/** A symbol where it has no business; `explanation` replaces the plain text when it is not empty. */
export const improperSymbol = (symbol: string, explanation: string): Problem =>
  fixed("ImproperSymbol", explanation === "" ? `Invalid symbol encountered: '${symbol}'` : explanation);

export const literalTooLarge = (what: string, limit: number): Problem =>
  fixed("LiteralTooLarge", `${what} exceeds the maximum limit (${limit})`);

// Found by the parser.

export const UNEXPECTED_END = fixed("UnexpectedEOF", "Script is incomplete");
export const PROPERTY_EXPECTED = fixed("PropertyExpected", "Expecting name of a property");
export const VARIABLE_EXPECTED = fixed("VariableExpected", "Expecting name of a variable");
export const TOO_DEEP = fixed("ExprTooDeep", "Expression exceeds maximum complexity");
export const TOO_MANY_FUNCTIONS = fixed(
  "TooManyFunctions",
  "Number of functions defined exceeds maximum limit",
);
export const LOOP_BREAK = fixed("LoopBreak", "Break statement should only be used inside a loop");
export const WRONG_EXPORT = fixed("WrongExport", "Export statement can only appear at global level");
export const WRONG_FUNCTION = fixed(
  "WrongFnDefinition",
  "Function definitions must be at global level and cannot be inside a block or another function",
);
export const FUNCTION_NAME_MISSING = fixed(
  "FnMissingName",
  "Expecting function name in function declaration",
);
export const CASE_AFTER_RANGE = fixed(
  "WrongSwitchIntegerCase",
  "Numeric switch case cannot follow a range case",
);
export const DEFAULT_NOT_LAST = fixed("WrongSwitchDefaultCase", "Default switch case must be the last");
export const CASE_CONDITION = fixed("WrongSwitchCaseCondition", "This switch case cannot have a condition");
export const INVALID_TARGET = fixed("AssignmentToInvalidLHS", "Expression cannot be assigned to");
export const METHOD_CAPTURE = fixed(
  "MalformedCapture",
  "method-call style does not support running within the caller's scope",
);

export const missingToken = (token: string, purpose: string): Problem =>
  fixed("MissingToken", `Expecting '${token}' ${purpose}`);

export const unknownOperator = (symbol: string): Problem =>
  fixed("UnknownOperator", `Unknown operator: '${symbol}'`);

export const reserved = (word: string): Problem =>
  fixed("Reserved", `'${word}' is a reserved ${isValidName(word) ? "keyword" : "symbol"}`);

export const malformedIndex = (message: string): Problem => fixed("MalformedIndexExpr", message);

export const duplicatedProperty = (name: string): Problem =>
  fixed("DuplicatedProperty", `Duplicated property for object map literal: ${name}`);

export const duplicatedVariable = (name: string): Problem =>
  fixed("DuplicatedVariable", `Duplicated variable name: ${name}`);

export const mismatchedType = (wanted: string, found: string): Problem =>
  fixed("MismatchedType", `Expecting ${wanted}, not ${found}`);

export const expressionExpected = (kind: string): Problem =>
  fixed("ExprExpected", `Expecting ${kind} expression`);

export const duplicatedFunction = (name: string, arity: number): Problem => {
  const parameters = arity === 0 ? "no parameters" : arity === 1 ? "1 parameter" : `${arity} parameters`;
  return fixed("FnDuplicatedDefinition", `Function ${name} with ${parameters} already exists`);
};

export const parametersMissing = (name: string): Problem =>
  fixed("FnMissingParams", `Expecting parameters for function ${name}`);

/** The name of an anonymous function is empty. */
export const duplicatedParameter = (name: string, parameter: string): Problem =>
  fixed("FnDuplicatedParam", `Duplicated parameter ${parameter} for function ${name}`);

export const bodyMissing = (name: string): Problem =>
  fixed("FnMissingBody", `Expecting body statement block for function ${name}`);

/** An empty name stands for a literal. */
export const constantAssigned = (name: string): Problem =>
  fixed(
    "AssignmentToConstant",
    name === "" ? "Cannot assign to a constant value" : `Cannot assign to constant ${name}`,
  );
