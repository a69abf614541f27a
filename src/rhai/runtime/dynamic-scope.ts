import type { Pos } from "../syntax/position.ts";
import { variableNotFound } from "./faults.ts";
import type { Run } from "./run.ts";
import { Cell, type Value } from "./values.ts";

/**
 * The variables of a function that uses `eval` or lends its scope to `f!(…)`: found by name at run time, the
 * latest first. Blocks remember the length and rewind to it.
 */
export class DynamicScope {
  readonly #names: string[] = [];
  readonly #cells: Cell[] = [];

  get length(): number {
    return this.#names.length;
  }

  push(name: string, cell: Cell): void {
    this.#names.push(name);
    this.#cells.push(cell);
  }

  define(name: string, value: Value, constant: boolean): Cell {
    const cell = new Cell(value);
    cell.constant = constant;
    this.push(name, cell);
    return cell;
  }

  rewind(length: number): void {
    this.#names.length = length;
    this.#cells.length = length;
  }

  has(name: string): boolean {
    return this.#names.includes(name);
  }

  names(): readonly string[] {
    return this.#names;
  }

  /** The variable, else `fallback`, else a constant of the host, else ErrorVariableNotFound. */
  find(run: Run, name: string, pos: Pos, fallback: Cell | null): Cell {
    const at = this.#names.lastIndexOf(name);
    const cell = this.#cells[at];
    if (at >= 0 && cell !== undefined) return cell;
    if (fallback !== null) return fallback;
    const scope = run.options.scope;
    if (scope !== undefined && Object.hasOwn(scope, name)) {
      const external = new Cell(scope[name]);
      external.constant = true;
      return external;
    }
    throw variableNotFound(name, pos);
  }
}
