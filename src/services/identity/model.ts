import { Type, type Static } from "@sinclair/typebox";

export const InstanceRole = Type.Union([
  Type.Literal("owner"),
  Type.Literal("admin"),
  Type.Literal("member"),
]);

/** A user as the API shows it. Never with the password's hash. */
export const AdminDTO = Type.Object(
  {
    id: Type.String(),
    username: Type.String(),
    is_active: Type.Boolean(),
    instance_role: InstanceRole,
    email: Type.Union([Type.String(), Type.Null()]),
    created_at: Type.String(),
    last_login_at: Type.Union([Type.String(), Type.Null()]),
  },
  { $id: "Admin" },
);
export type AdminDTO = Static<typeof AdminDTO>;

/** One to 64 characters; no colon, since HTTP Basic ends the name at the first one. */
export const Username = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[^\\s:\\u0000-\\u001f\\u007f]+$",
  description: "1 to 64 characters without spaces, colons and control characters",
});

export const Password = Type.String({ minLength: 8, maxLength: 1024, description: "8 to 1024 characters" });

export const Email = Type.Union(
  [Type.String({ maxLength: 254, pattern: "^[^@\\s]+@[^@\\s]+$" }), Type.Null()],
  { description: "an e-mail address, or null" },
);
