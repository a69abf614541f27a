import { Type, type Static } from "@sinclair/typebox";
import { strict } from "../http/module.ts";

export const DomainDTO = strict({
  id: Type.String(),
  app_id: Type.String(),
  pattern: Type.String(),
  shape: Type.Union([Type.Literal("exact"), Type.Literal("wildcard"), Type.Literal("parameterised")]),
  shape_key: Type.String(),
  created_at: Type.String(),
});
export type DomainDTO = Static<typeof DomainDTO>;

export const CreateDomain = strict({ pattern: Type.String({ minLength: 1, maxLength: 253 }) });

export const DomainPath = Type.Object({ app: Type.String(), domain_id: Type.String() });
