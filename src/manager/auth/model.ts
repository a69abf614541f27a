import { Type } from "@sinclair/typebox";
import { InstanceRole } from "../../services/identity/index.ts";
import { strict } from "../http/module.ts";

export const LoginBody = strict({
  username: Type.String({ maxLength: 256 }),
  password: Type.String({ maxLength: 1024 }),
});

export const Me = strict({
  id: Type.String(),
  username: Type.String(),
  instance_role: InstanceRole,
  email: Type.Union([Type.String(), Type.Null()]),
});

export const LoginAnswer = strict({ token: Type.String(), expires_at: Type.String(), user: Me });
