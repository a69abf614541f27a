import type { Ident } from "./ast.ts";
import { isValidName } from "./characters.ts";
import { fail, reserved, VARIABLE_EXPECTED } from "./problems.ts";
import type { TokenSource } from "./token-source.ts";

/** Takes the name of a variable. */
export const parseVariableName = (input: TokenSource): Ident => {
  const token = input.next();
  if (token.kind === "Name") return { name: token.text, pos: token.pos };
  if (token.kind === "Reserved" && isValidName(token.text)) return fail(reserved(token.text), token.pos);
  return fail(token.problem ?? VARIABLE_EXPECTED, token.pos);
};
