import { Type, type Static } from "@sinclair/typebox";

export const SecretName = Type.String({
  pattern: "^[A-Za-z_][A-Za-z0-9_.-]{0,127}$",
  description: "1 to 128 letters, digits, _, . and -, the first of them a letter or _",
});

const NAME = /^[A-Za-z_][A-Za-z0-9_.-]{0,127}$/;
export const isSecretName = (text: string): boolean => NAME.test(text);

/** A secret as everybody may see it: without its value. */
export const SecretDTO = Type.Object(
  { name: Type.String(), updated_at: Type.String() },
  { additionalProperties: false },
);
export type SecretDTO = Static<typeof SecretDTO>;
