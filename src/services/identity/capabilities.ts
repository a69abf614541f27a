import { forbidden, notFound } from "../../shared/errors.ts";
import type { AppRole, InstanceRole, Principal, Scope } from "../../shared/principal.ts";

/** What may be done inside an app: the least app role, and the scope that a key must carry (CONTRACT 2.4). */
export const APP_CAPABILITIES = {
  AppRead: { role: "viewer", scope: "script:read" },
  AppLogRead: { role: "viewer", scope: "log:read" },
  AppWriteScript: { role: "editor", scope: "script:write" },
  AppWriteRoute: { role: "editor", scope: "route:write" },
  AppManageDomains: { role: "app_admin", scope: "domain:manage" },
  AppAdmin: { role: "app_admin", scope: "app:admin" },
  AppKvRead: { role: "viewer", scope: "script:read" },
  AppDocsRead: { role: "viewer", scope: "script:read" },
  AppFilesRead: { role: "viewer", scope: "script:read" },
  AppKvWrite: { role: "editor", scope: "script:write" },
  AppDocsWrite: { role: "editor", scope: "script:write" },
  AppFilesWrite: { role: "editor", scope: "script:write" },
  AppSecretsRead: { role: "viewer", scope: "script:read" },
  AppSecretsWrite: { role: "editor", scope: "script:write" },
  AppPubsubPublish: { role: "editor", scope: "script:write" },
  AppEmailSend: { role: "editor", scope: "script:write" },
  AppHttpRequest: { role: "editor", scope: "script:write" },
  AppManageTriggers: { role: "app_admin", scope: "app:admin" },
  AppDeadLetterManage: { role: "app_admin", scope: "app:admin" },
  AppTopicManage: { role: "app_admin", scope: "app:admin" },
} as const satisfies Readonly<Record<string, { readonly role: AppRole; readonly scope: Scope }>>;

/** What may be done to the instance: the least instance role. */
export const INSTANCE_CAPABILITIES = {
  InstanceCreateApp: { role: "admin", scope: "instance:admin" },
  InstanceManageUsers: { role: "admin", scope: "instance:admin" },
  InstanceManageSettings: { role: "owner", scope: "instance:admin" },
} as const satisfies Readonly<Record<string, { readonly role: InstanceRole; readonly scope: Scope }>>;

export type AppCapability = keyof typeof APP_CAPABILITIES;
export type InstanceCapability = keyof typeof INSTANCE_CAPABILITIES;

const CAPABILITIES = { ...APP_CAPABILITIES, ...INSTANCE_CAPABILITIES };

const APP_RANK: Readonly<Record<AppRole, number>> = { viewer: 1, editor: 2, app_admin: 3 };
const INSTANCE_RANK: Readonly<Record<InstanceRole, number>> = { member: 1, admin: 2, owner: 3 };

/** An app, and what the membership table grants the caller in it. Rows of app data are that too. */
export interface Membership {
  readonly app_id: string;
  /** Null: no member. */
  readonly granted: AppRole | null;
}

/** The caller's role in an app; null: the app is invisible. A key that is bound to one app sees no other. */
export function effectiveRole(principal: Principal, { app_id: appId, granted }: Membership): AppRole | null {
  const bound = principal.key?.appId ?? null;
  if (bound !== null && bound !== appId) return null;
  return principal.instanceRole === "member" ? granted : "app_admin";
}

/** Whether a role in an app (null: none) suffices for a capability. */
export function permits(role: AppRole | null, capability: AppCapability): boolean {
  return role !== null && APP_RANK[role] >= APP_RANK[APP_CAPABILITIES[capability].role];
}

/**
 * Lets a call pass that concerns an app: its role must grant the capability and, where a key was shown, the key must
 * cover it.
 * @returns the effective role
 * @throws AppError 404 about `what` when the caller may not even know that it exists, 403 when role or key is too weak
 */
export function demand(
  principal: Principal,
  membership: Membership,
  capability: AppCapability,
  what: string,
): AppRole {
  const role = effectiveRole(principal, membership);
  if (role === null) throw notFound(what);
  if (!permits(role, capability)) {
    const needed = APP_CAPABILITIES[capability].role;
    throw forbidden(`This needs the role ${needed} in the app; yours is ${role}.`, {
      details: { capability, required_role: needed, role },
    });
  }
  demandScope(principal, capability);
  return role;
}

/** Lets a call pass that concerns the instance as a whole. @throws AppError 403 */
export function demandInstance(principal: Principal, capability: InstanceCapability): void {
  const needed = INSTANCE_CAPABILITIES[capability].role;
  if (INSTANCE_RANK[principal.instanceRole] < INSTANCE_RANK[needed]) {
    throw forbidden(`This needs the instance role ${needed}; yours is ${principal.instanceRole}.`, {
      details: { capability, required_role: needed, role: principal.instanceRole },
    });
  }
  demandScope(principal, capability);
}

/**
 * For lists over all apps that the caller sees, where no single app can be asked about: the key, if one was shown, must
 * cover the capability.
 * @throws AppError 403
 */
export function demandScope(principal: Principal, capability: AppCapability | InstanceCapability): void {
  if (principal.key === null) return;
  const { scope } = CAPABILITIES[capability];
  if (principal.key.scopes.includes(scope)) return;
  throw forbidden(`This needs an API key with the scope ${scope}; this key does not carry it.`, {
    details: { capability, required_scope: scope, scopes: principal.key.scopes },
  });
}

/**
 * For what a key may never do, whatever its scopes: it could otherwise make itself a successor, or take its owner's
 * account over.
 * @throws AppError 403
 */
export function refuseKeys(principal: Principal, what: string): void {
  if (principal.key === null) return;
  throw forbidden(`${what} with an API key is not possible. Sign in with username and password.`, {
    details: { credential: "api_key" },
  });
}
