/** Who calls, and what they may do: users, logins, capabilities. */
export { carriesKey, type ApiKeys, type NewKey } from "./api-keys.ts";
export { bootstrap } from "./bootstrap.ts";
export {
  APP_CAPABILITIES,
  INSTANCE_CAPABILITIES,
  demand,
  demandInstance,
  demandScope,
  effectiveRole,
  permits,
  refuseKeys,
  type AppCapability,
  type InstanceCapability,
  type Membership,
} from "./capabilities.ts";
export { isSecure, plainAddress, requestOrigin, type TrustedProxies } from "./client-address.ts";
export { SESSION_COOKIE, cookieFor, sessionCookie } from "./credentials.ts";
export type { Credential } from "./logins.ts";
export type { ApiKey } from "./key-queries.ts";
export {
  AdminDTO,
  adminDTO,
  Email,
  InstanceRole,
  KeyDTO,
  keyDTO,
  Password,
  Scope,
  Username,
} from "./model.ts";
export { hashPassword } from "./passwords.ts";
export { randomPassword } from "./random-password.ts";
export { resetPassword } from "./reset-password.ts";
export { userById, type User } from "./queries.ts";
export {
  createIdentity,
  type Authentication,
  type CredentialKind,
  type Identity,
  type IdentityDeps,
} from "./service.ts";
export type { Randomness } from "./sessions.ts";
export { createUsers, type UserInput, type Users } from "./users.ts";
export { visibleTo } from "./visibility.ts";
