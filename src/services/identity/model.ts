import { Type, type Static } from "@sinclair/typebox";
import { SCOPES, type Scope as ScopeName } from "../../shared/principal.ts";
import type { ApiKey } from "./key-queries.ts";
import type { User } from "./queries.ts";

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
  { additionalProperties: false },
);
export type AdminDTO = Static<typeof AdminDTO>;

export const adminDTO = (user: User): AdminDTO => ({
  id: user.id,
  username: user.username,
  is_active: user.is_active,
  instance_role: user.instance_role,
  email: user.email,
  created_at: user.created_at.toISOString(),
  last_login_at: user.last_login_at?.toISOString() ?? null,
});

/** What a key may be good for. */
export const Scope = Type.Unsafe<ScopeName>(
  Type.Union(
    SCOPES.map((scope) => Type.Literal(scope)),
    { description: `one of ${SCOPES.join(", ")}` },
  ),
);

/** An API key as the API shows it. Never with its text. */
export const KeyDTO = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    prefix: Type.String(),
    scopes: Type.Array(Scope),
    app_id: Type.Union([Type.String(), Type.Null()]),
    created_at: Type.String(),
    last_used_at: Type.Union([Type.String(), Type.Null()]),
    expires_at: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
);
export type KeyDTO = Static<typeof KeyDTO>;

export const keyDTO = (key: ApiKey): KeyDTO => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  scopes: [...key.scopes],
  app_id: key.app_id,
  created_at: key.created_at.toISOString(),
  last_used_at: key.last_used_at?.toISOString() ?? null,
  expires_at: key.expires_at?.toISOString() ?? null,
});

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
