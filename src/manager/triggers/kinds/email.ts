import { Type } from "@sinclair/typebox";
import { triggerKind } from "./kind.ts";

/** E-mail that is posted to the trigger's own path. Its secret is sealed by `../inbound-secret.ts`. */
export const email = triggerKind({
  name: "email",
  fields: {
    inbound_secret: Type.Optional(
      Type.Union([Type.String({ minLength: 1, maxLength: 1024 }), Type.Null()], {
        description:
          "text of 1 to 1024 characters that requests are signed with, or null for no signature; default: a new one",
      }),
    ),
    new_inbound_secret: Type.Optional(
      Type.Literal(true, { description: "true: a new secret is made, which the answer tells" }),
    ),
  },
  shown: { has_inbound_secret: Type.Boolean(), inbound_path: Type.String() },
  keep: () => ({ pattern: "*", ops: [], details: {}, next_at: null }),
  show: ({ details }, { app_id, id }) => ({
    has_inbound_secret: details["secret"] !== undefined,
    inbound_path: `/api/v1/email-inbound/${app_id}/${id}`,
  }),
});
