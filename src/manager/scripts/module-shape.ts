import { excerptAt } from "../../rhai/syntax/excerpt.ts";
import { columnOf, lineOf, parse } from "../../rhai/syntax/index.ts";
import { invalid } from "../../shared/errors.ts";

/** What may stand at the top level of a module beside functions. */
const DECLARATIONS: ReadonlySet<string> = new Set(["Noop", "Import", "Export"]);

/**
 * A module holds functions, constants and imports; importing it must not do anything (CONTRACT 5).
 * @param source compiles already
 * @throws AppError 422 `module_shape` that tells where the first other statement is
 */
export function checkModuleShape(source: string): void {
  const result = parse(source);
  if (!result.ok) return;
  const other = result.script.body.find(
    (statement) => !DECLARATIONS.has(statement.kind) && !(statement.kind === "Let" && statement.constant),
  );
  if (other === undefined) return;
  const line = lineOf(other.pos);
  const column = columnOf(other.pos);
  const message = "A module may hold only functions, constants and imports at its top level";
  throw invalid("module_shape", `${message}; something else stands in line ${line}, column ${column}.`, {
    details: { line, column, message, excerpt: excerptAt(source, other.pos) },
  });
}
