import { Type, type Static } from "@sinclair/typebox";
import { KeyDTO, Scope } from "../../services/identity/index.ts";
import { SCOPES } from "../../shared/principal.ts";
import { strict } from "../http/module.ts";

export const CreateKey = strict({
  name: Type.String({ minLength: 1, maxLength: 128 }),
  scopes: Type.Array(Scope, {
    minItems: 1,
    maxItems: 2 * SCOPES.length,
    description: `a list of at least one of ${SCOPES.join(", ")}`,
  }),
  app_id: Type.Optional(
    Type.Union([Type.String({ maxLength: 64 }), Type.Null()], {
      description: "id or slug of the only app that the key is good for; null: all that its user sees",
    }),
  ),
  expires_at: Type.Optional(
    Type.Union(
      [
        Type.String({
          pattern: "^\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,9})?([Zz]|[+-]\\d\\d:\\d\\d)$",
        }),
        Type.Null(),
      ],
      { description: "a time such as 2030-01-31T00:00:00Z (RFC 3339), or null for never" },
    ),
  ),
});
export type CreateKey = Static<typeof CreateKey>;

/** The only answer that ever holds the key's text. */
export const CreatedKey = strict({ ...KeyDTO.properties, raw_token: Type.String() });

export const KeyPath = Type.Object({ id: Type.String() });
