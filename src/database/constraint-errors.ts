import type { PostgresError } from "postgres";
import { conflict, type AppError } from "../shared/errors.ts";

/**
 * What the violation of a named constraint means to a client. The one table of it: a migration that adds a
 * constraint that a client can hit adds its line here. Messages never repeat the value.
 */
const CONSTRAINTS: Readonly<Record<string, () => AppError>> = {
  apps_slug_key: () => conflict("slug_taken", "Slug is already taken."),
  scripts_name_key: () => conflict("name_taken", "A script of this name exists in the app."),
  users_username_key: () => conflict("username_taken", "A user of this name exists."),
  users_email_key: () => conflict("email_taken", "Another user has this e-mail address."),
};

/** The AppError of a constraint violation; undefined when the error is none, or of a constraint not in the table. */
export function constraintError(error: PostgresError): AppError | undefined {
  const name = error.constraint_name;
  const make = name === undefined ? undefined : CONSTRAINTS[name];
  return make?.();
}

/** The names in the table, for the test that looks each up in the schema. */
export const constraintNames = (): readonly string[] => Object.keys(CONSTRAINTS);
