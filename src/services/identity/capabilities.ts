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

const APP_RANK: Readonly<Record<AppRole, number>> = { viewer: 1, editor: 2, app_admin: 3 };
const INSTANCE_RANK: Readonly<Record<InstanceRole, number>> = { member: 1, admin: 2, owner: 3 };

/** The caller's role in an app whose membership row (if any) says `granted`; null: the app is invisible. */
export function effectiveRole(principal: Principal, granted: AppRole | null): AppRole | null {
  return principal.instanceRole === "member" ? granted : "app_admin";
}

/** Whether a role in an app (null: none) suffices for a capability. */
export function permits(role: AppRole | null, capability: AppCapability): boolean {
  return role !== null && APP_RANK[role] >= APP_RANK[APP_CAPABILITIES[capability].role];
}

/**
 * Lets a call pass whose caller's membership row says `granted`.
 * @returns the effective role
 * @throws AppError 404 about `what` when the caller may not even know that it exists, 403 when the role is too low
 */
export function demand(
  principal: Principal,
  granted: AppRole | null,
  capability: AppCapability,
  what: string,
): AppRole {
  const role = effectiveRole(principal, granted);
  if (role === null) throw notFound(what);
  if (!permits(role, capability)) {
    const needed = APP_CAPABILITIES[capability].role;
    throw forbidden(`This needs the role ${needed} in the app; yours is ${role}.`, {
      details: { capability, required_role: needed, role },
    });
  }
  return role;
}

/** Lets a call pass that concerns the instance as a whole. @throws AppError 403 */
export function demandInstance(principal: Principal, capability: InstanceCapability): void {
  const needed = INSTANCE_CAPABILITIES[capability].role;
  if (INSTANCE_RANK[principal.instanceRole] >= INSTANCE_RANK[needed]) return;
  throw forbidden(`This needs the instance role ${needed}; yours is ${principal.instanceRole}.`, {
    details: { capability, required_role: needed, role: principal.instanceRole },
  });
}
