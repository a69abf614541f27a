import { Type, type Static } from "@sinclair/typebox";
import { SecretName } from "../../services/secrets/index.ts";
import { strict } from "../http/module.ts";

export const SetSecret = strict({
  name: SecretName,
  value: Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown()), Type.Array(Type.Unknown())], {
    description: "a text, an object or an array",
  }),
});
export type SetSecret = Static<typeof SetSecret>;

export const SecretPath = Type.Object({ app: Type.String(), name: Type.String() });
