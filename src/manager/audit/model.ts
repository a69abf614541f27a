import { Type, type Static } from "@sinclair/typebox";
import { PAGE_QUERY, pageOf } from "../http/cursor.ts";
import { Instant } from "../http/instant.ts";
import { strict } from "../http/module.ts";

const nullableText = Type.Union([Type.String(), Type.Null()]);

export const AuditDTO = strict({
  id: Type.String(),
  created_at: Type.String(),
  /** Whose id is null: somebody at the machine itself. */
  actor: strict({ id: nullableText, name: Type.String() }),
  /** The API key that was used. */
  key_id: nullableText,
  /** Null: it concerns the instance. */
  app_id: nullableText,
  action: Type.String(),
  target: strict({ kind: Type.String(), id: Type.String(), name: Type.String() }),
  /** Fields that differ. */
  changed: Type.Array(Type.String()),
  /** In hexadecimal digits. */
  before_sha256: nullableText,
  after_sha256: nullableText,
  request_id: nullableText,
  address: nullableText,
});
export type AuditDTO = Static<typeof AuditDTO>;

export const AuditPage = pageOf(AuditDTO);

export const AuditQuery = strict({
  app: Type.Optional(
    Type.String({ description: "the app's id or slug; required of those who are no admins" }),
  ),
  actor: Type.Optional(Type.String({ maxLength: 256, description: "the id or name of a user" })),
  action: Type.Optional(
    Type.String({
      pattern: "^[a-z_]{1,40}(\\.[a-z_]{1,40})?$",
      description: "an action such as script.update, or a noun such as script for all of its actions",
    }),
  ),
  from: Type.Optional(Instant),
  to: Type.Optional(Instant),
  ...PAGE_QUERY,
});
export type AuditQuery = Static<typeof AuditQuery>;
