import {
  APP_CAPABILITIES,
  INSTANCE_CAPABILITIES,
  type AppCapability,
  type InstanceCapability,
} from "../../services/identity/index.ts";

/**
 * What an operation needs. `public`: no credential. `user`: any credential, and the answer holds what its owner may see.
 * `self`: a login of one's own, no key.
 */
export type Need = AppCapability | InstanceCapability | "public" | "user" | "self";

/**
 * By `METHOD path` below /api/v1/admin. The services decide, after they have loaded the resource; this says it to readers,
 * and test/manager/matrix.test.ts proves for every actor that it is so, and that no operation is missing.
 */
export const NEEDS: Readonly<Record<string, Need>> = {
  "POST /auth/login": "public",
  "POST /auth/logout": "public",
  "GET /auth/me": "user",

  "GET /admins": "InstanceManageUsers",
  "POST /admins": "InstanceManageUsers",
  "GET /admins/{id}": "InstanceManageUsers",
  "PATCH /admins/{id}": "InstanceManageUsers",
  "DELETE /admins/{id}": "InstanceManageUsers",

  "GET /api-keys": "self",
  "POST /api-keys": "self",
  "DELETE /api-keys/{id}": "self",

  // An app's admins, when they name their app.
  "GET /audit": "InstanceManageUsers",

  "GET /sdk": "user",

  "GET /apps": "user",
  "POST /apps": "InstanceCreateApp",
  "GET /apps/{app}": "AppRead",
  "PATCH /apps/{app}": "AppAdmin",
  "DELETE /apps/{app}": "AppAdmin",
  "POST /apps/{app}:pause": "AppAdmin",
  "POST /apps/{app}:resume": "AppAdmin",
  "POST /apps/{app}/slug:check": "AppAdmin",
  "GET /apps/{app}/settings": "AppRead",
  "PATCH /apps/{app}/settings": "AppAdmin",

  "GET /apps/{app}/openapi.json": "AppRead",

  "GET /apps/{app}/domains": "AppRead",
  "POST /apps/{app}/domains": "AppManageDomains",
  "DELETE /apps/{app}/domains/{domain_id}": "AppManageDomains",

  "GET /apps/{app}/members": "AppAdmin",
  "POST /apps/{app}/members": "AppAdmin",
  "PATCH /apps/{app}/members/{user_id}": "AppAdmin",
  "DELETE /apps/{app}/members/{user_id}": "AppAdmin",
  "GET /apps/{app}/members:candidates": "AppAdmin",

  "GET /apps/{app}/secrets": "AppSecretsRead",
  "POST /apps/{app}/secrets": "AppSecretsWrite",
  "DELETE /apps/{app}/secrets/{name}": "AppSecretsWrite",

  "GET /apps/{app}/usage": "AppRead",
  "GET /apps/{app}/kv": "AppKvRead",
  "GET /apps/{app}/kv/{collection}": "AppKvRead",
  "GET /apps/{app}/kv/{collection}:export": "AppKvRead",
  "POST /apps/{app}/kv/{collection}:import": "AppKvWrite",
  "GET /apps/{app}/kv/{collection}/{key}": "AppKvRead",
  "PUT /apps/{app}/kv/{collection}/{key}": "AppKvWrite",
  "DELETE /apps/{app}/kv/{collection}/{key}": "AppKvWrite",

  "GET /apps/{app}/docs": "AppDocsRead",
  "GET /apps/{app}/docs/{collection}": "AppDocsRead",
  "POST /apps/{app}/docs/{collection}": "AppDocsWrite",
  "POST /apps/{app}/docs/{collection}:find": "AppDocsRead",
  "POST /apps/{app}/docs/{collection}:explain": "AppDocsRead",
  "GET /apps/{app}/docs/{collection}:export": "AppDocsRead",
  "POST /apps/{app}/docs/{collection}:import": "AppDocsWrite",
  "GET /apps/{app}/docs/{collection}/{doc_id}": "AppDocsRead",
  "PUT /apps/{app}/docs/{collection}/{doc_id}": "AppDocsWrite",
  "PATCH /apps/{app}/docs/{collection}/{doc_id}": "AppDocsWrite",
  "DELETE /apps/{app}/docs/{collection}/{doc_id}": "AppDocsWrite",
  "GET /apps/{app}/docs/{collection}/indexes": "AppDocsRead",
  "POST /apps/{app}/docs/{collection}/indexes": "AppDocsWrite",
  "DELETE /apps/{app}/docs/{collection}/indexes/{field}": "AppDocsWrite",

  "GET /apps/{app}/triggers": "AppManageTriggers",
  "POST /apps/{app}/triggers/{kind}": "AppManageTriggers",
  "PATCH /apps/{app}/triggers/{tid}": "AppManageTriggers",
  "DELETE /apps/{app}/triggers/{tid}": "AppManageTriggers",
  "POST /apps/{app}/triggers/{tid}:run": "AppManageTriggers",

  "GET /apps/{app}/dead_letters": "AppDeadLetterManage",
  "GET /apps/{app}/dead_letters/count": "AppDeadLetterManage",
  "GET /apps/{app}/dead_letters/{dl_id}": "AppDeadLetterManage",
  "POST /apps/{app}/dead_letters/{dl_id}/replay": "AppDeadLetterManage",
  "POST /apps/{app}/dead_letters/{dl_id}/resolve": "AppDeadLetterManage",
  "POST /apps/{app}/dead_letters:replay": "AppDeadLetterManage",

  "GET /scripts": "user",
  "POST /scripts": "AppWriteScript",
  "GET /scripts/{id}": "AppRead",
  "PUT /scripts/{id}": "AppWriteScript",
  "DELETE /scripts/{id}": "AppAdmin",
  "GET /scripts/{id}/versions": "AppRead",
  "GET /scripts/{id}/versions/{version}": "AppRead",
  "GET /scripts/{id}/diff": "AppRead",
  "POST /scripts/{id}/versions/{version}:activate": "AppWriteScript",
  "POST /scripts/{id}/versions/{version}:invoke": "AppWriteScript",
  "GET /scripts/{id}/imports": "AppRead",
  "GET /scripts/{id}/used-by": "AppRead",
  "GET /scripts/{id}/logs": "AppLogRead",

  "GET /apps/{app}/executions": "AppLogRead",
  "GET /apps/{app}/executions:tail": "AppLogRead",
  "GET /executions/{execution_id}": "AppLogRead",
  "POST /executions/{execution_id}:rerun": "AppWriteScript",

  "PUT /apps/{app}/scripts/{name}": "AppWriteScript",
  "GET /apps/{app}/scripts/{name}": "AppRead",
  "GET /apps/{app}/scripts/{name}/source": "AppRead",
  "DELETE /apps/{app}/scripts/{name}": "AppAdmin",

  "GET /scripts/{id}/routes": "AppRead",
  "POST /scripts/{id}/routes": "AppWriteRoute",
  "PATCH /routes/{route_id}": "AppWriteRoute",
  "DELETE /routes/{route_id}": "AppWriteRoute",
  "POST /routes:check": "AppRead",
  "POST /routes:match": "AppRead",
};

/** A need in words, and the scope that a key must have for it. */
export function describeNeed(need: Need): { readonly text: string; readonly scopes: readonly string[] } {
  if (need === "public") return { text: "Needs no credential.", scopes: [] };
  if (need === "user")
    return { text: "Needs a credential; the answer holds what its owner may see.", scopes: [] };
  if (need === "self") return { text: "Needs a login or a password; no API key.", scopes: [] };
  if (need in INSTANCE_CAPABILITIES) {
    const { role, scope } = INSTANCE_CAPABILITIES[need as InstanceCapability];
    return {
      text: `Needs the instance role \`${role}\`; of a key, the scope \`${scope}\`.`,
      scopes: [scope],
    };
  }
  const { role, scope } = APP_CAPABILITIES[need as AppCapability];
  return {
    text: `Needs the role \`${role}\` in the app; of a key, the scope \`${scope}\`.`,
    scopes: [scope],
  };
}
