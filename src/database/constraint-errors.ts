import type { PostgresError } from "postgres";
import { AppError, conflict, invalid, notFound } from "../shared/errors.ts";

/**
 * What the violation of a named constraint means to a client. The one table of it: a migration that adds a
 * constraint that a client can hit adds its line here. Messages never repeat the value.
 */
const CONSTRAINTS: Readonly<Record<string, () => AppError>> = {
  apps_slug_key: () => conflict("slug_taken", "Slug is already taken."),
  scripts_name_key: () => conflict("name_taken", "A script of this name exists in the app."),
  // The app was deleted while somebody wrote into it.
  api_keys_app_id_fkey: () => notFound("App"),
  app_members_app_id_fkey: () => notFound("App"),
  kv_entries_app_id_fkey: () => notFound("App"),
  docs_app_id_fkey: () => notFound("App"),
  data_usage_app_id_fkey: () => notFound("App"),
  users_username_key: () => conflict("username_taken", "A user of this name exists."),
  doc_index_entries_unique_key: () =>
    conflict("duplicate_value", "Another document has the same value of a unique field."),
  users_email_key: () => conflict("email_taken", "Another user has this e-mail address."),
};

/** SQLSTATE that `doc_index_value` raises; the detail is the field. */
export const VALUE_TOO_LONG = "PC001";
/** SQLSTATE that `check_quota` raises; the detail is the quota. */
const QUOTA_EXCEEDED = "PC002";

/**
 * The AppError of a constraint violation, or of what our own functions raise; undefined when the error is neither, or of a
 * constraint not in the table.
 */
export function constraintError(error: PostgresError): AppError | undefined {
  if (error.code === VALUE_TOO_LONG) {
    return invalid(
      "value_too_long",
      `The value of "${error.detail}" is longer than 1024 bytes, and the field is indexed.`,
    );
  }
  if (error.code === QUOTA_EXCEEDED) {
    return new AppError(507, "quota_exceeded", error.message, {
      details: { quota_bytes: Number(error.detail) },
    });
  }
  const name = error.constraint_name;
  const make = name === undefined ? undefined : CONSTRAINTS[name];
  return make?.();
}

/** The names in the table, for the test that looks each up in the schema. */
export const constraintNames = (): readonly string[] => Object.keys(CONSTRAINTS);
