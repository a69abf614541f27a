import { invalid } from "../../shared/errors.ts";
import type { ScriptKind } from "../context.ts";

const MAX_CHARACTERS = 128;
const MODULE_NAME = /^[a-z][a-z0-9_]{0,62}$/;

/** Controls, line separators, and the marks that turn the direction of text around. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

/** Namespaces of the SDK, existing and planned, and words of the language: a module of that name could not be used. */
const RESERVED_MODULES: ReadonlySet<string> = new Set(
  (
    "log kv docs http cron files pubsub secrets email users queue invoke retry dead_letters workflow regex random time " +
    "json base64 hex hash url ctx tx " +
    "true false let const is if else switch do while until loop for in continue break fn private this return throw try " +
    "catch import export as global print debug eval type_of call curry is_def_fn is_def_var is_shared static async " +
    "await yield var new shared goto exit match case public protected super package use with module thread go spawn " +
    "sync nothing null undefined void default"
  ).split(" "),
);

/** @throws AppError 422 `invalid_name` */
export function checkScriptName(name: string): void {
  const problem = fault(name);
  if (problem === null) return;
  throw invalid("invalid_name", `The name of a script ${problem}.`, { details: { field: "name" } });
}

export const isScriptName = (name: string): boolean => fault(name) === null;

/** @throws AppError 422 `invalid_module_name` */
export function checkNameFor(kind: ScriptKind, name: string): void {
  if (kind === "endpoint") return;
  if (!MODULE_NAME.test(name)) {
    throw invalid(
      "invalid_module_name",
      "The name of a module is made of lower-case letters, digits and _, starts with a letter, and has at most 63 characters.",
      { details: { field: "name" } },
    );
  }
  if (RESERVED_MODULES.has(name)) {
    throw invalid("invalid_module_name", `"${name}" is reserved; choose another name for the module.`, {
      details: { field: "name" },
    });
  }
}

function fault(name: string): string | null {
  if (name === "") return "is empty";
  if (!name.isWellFormed()) return "is not valid Unicode text";
  if ([...name].length > MAX_CHARACTERS) return `has more than ${MAX_CHARACTERS} characters`;
  if (UNSEEN.test(name)) return "holds a control character";
  if (/[/\\]/.test(name)) return "holds a slash or backslash; it must be a single segment of a path";
  if (name === "." || name === "..") return `cannot be "${name}", which has a meaning of its own in paths`;
  if (name.trim() !== name) return "starts or ends with a space";
  return null;
}
