/** Source text to syntax tree: the face of this folder. */
export type * from "./ast.ts";
export { type Diagnostic, formatDiagnostic, officialMessage, SYNTAX_ERROR } from "./diagnostics.ts";
export { excerptAt } from "./excerpt.ts";
export { functionNameProblem, isFunctionName } from "./function-name.ts";
export { DEFAULT_LIMITS, type ParseLimits } from "./parse-state.ts";
export {
  type Failure,
  type JsonResult,
  parse,
  parseEval,
  parseJson,
  type ParseOptions,
  type ParseResult,
} from "./parser.ts";
export { columnOf, describePosition, lineOf, NONE, type Pos } from "./position.ts";
export { format, type FormatResult } from "./printer.ts";
export { isReservedWord } from "./reserved.ts";
export type { Token, TokenKind } from "./token.ts";
export { tokenize } from "./tokenize.ts";
