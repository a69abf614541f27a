import type { Need } from "../../../../src/manager/openapi/index.ts";
import {
  APP_CAPABILITIES,
  INSTANCE_CAPABILITIES,
  type AppCapability,
  type InstanceCapability,
} from "../../../../src/services/identity/index.ts";
import { SCOPES, type AppRole, type InstanceRole, type Scope } from "../../../../src/shared/principal.ts";
import type { Actor } from "../control-plane.ts";

/** What an actor has, so far as the app `blog` is concerned. Null: no valid credential. */
interface Standing {
  readonly user: string;
  readonly instanceRole: InstanceRole;
  /** In `blog`; null: none. */
  readonly appRole: AppRole | null;
  /** Of a key; null: it is none. */
  readonly scopes: readonly Scope[] | null;
}

const OF_APPS = SCOPES.filter((scope) => scope !== "instance:admin");

export const STANDING: Readonly<Record<Actor, Standing | null>> = {
  guest: null,
  wrong: null,
  expiredKey: null,
  deactivated: null,
  outsider: { user: "outsider", instanceRole: "member", appRole: null, scopes: null },
  viewer: { user: "viewer", instanceRole: "member", appRole: "viewer", scopes: null },
  editor: { user: "editor", instanceRole: "member", appRole: "editor", scopes: null },
  appAdmin: { user: "appAdmin", instanceRole: "member", appRole: "app_admin", scopes: null },
  admin: { user: "admin", instanceRole: "admin", appRole: "app_admin", scopes: null },
  owner: { user: "owner", instanceRole: "owner", appRole: "app_admin", scopes: null },
  readKey: {
    user: "appAdmin",
    instanceRole: "member",
    appRole: "app_admin",
    scopes: ["script:read", "log:read"],
  },
  fullKey: { user: "owner", instanceRole: "owner", appRole: "app_admin", scopes: SCOPES },
  boundKey: { user: "owner", instanceRole: "owner", appRole: "app_admin", scopes: OF_APPS },
  // Bound to another app.
  otherBoundKey: { user: "owner", instanceRole: "owner", appRole: null, scopes: OF_APPS },
};

const APP_RANK: readonly AppRole[] = ["viewer", "editor", "app_admin"];
const INSTANCE_RANK: readonly InstanceRole[] = ["member", "admin", "owner"];

/**
 * What the rules of CONTRACT 2.4 say about an actor that asks for something of `blog`: "yes", or the status of the
 * refusal. Written a second time here, and not taken from the product.
 */
export function verdict(need: Need, actor: Actor): "yes" | 401 | 403 | 404 {
  if (need === "public") return "yes";
  const standing = STANDING[actor];
  if (standing === null) return 401;
  const { appRole, instanceRole, scopes } = standing;
  if (need === "user") return "yes";
  if (need === "self") return scopes === null ? "yes" : 403;
  if (need in INSTANCE_CAPABILITIES) {
    const { role, scope } = INSTANCE_CAPABILITIES[need as InstanceCapability];
    const may = INSTANCE_RANK.indexOf(instanceRole) >= INSTANCE_RANK.indexOf(role);
    return may && (scopes === null || scopes.includes(scope)) ? "yes" : 403;
  }
  if (appRole === null) return 404;
  const { role, scope } = APP_CAPABILITIES[need as AppCapability];
  const may = APP_RANK.indexOf(appRole) >= APP_RANK.indexOf(role);
  return may && (scopes === null || scopes.includes(scope)) ? "yes" : 403;
}
