import { Type } from "@sinclair/typebox";
import { Email, InstanceRole, Password, Username } from "../../services/identity/index.ts";
import { strict } from "../http/module.ts";

export const CreateAdmin = strict({
  username: Username,
  password: Password,
  instance_role: Type.Optional(InstanceRole),
  email: Type.Optional(Email),
});

export const UpdateAdmin = strict({
  username: Type.Optional(Username),
  password: Type.Optional(Password),
  is_active: Type.Optional(Type.Boolean()),
  instance_role: Type.Optional(InstanceRole),
  email: Type.Optional(Email),
});

export const AdminPath = Type.Object({ id: Type.String() });
