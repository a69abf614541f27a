import { describe, expect, test } from "bun:test";
import {
  APP_CAPABILITIES,
  demand,
  demandInstance,
  effectiveRole,
  permits,
  type AppCapability,
} from "../../src/services/identity/index.ts";
import { AppError } from "../../src/shared/errors.ts";
import {
  SCOPES,
  type AppRole,
  type InstanceRole,
  type Principal,
  type Scope,
} from "../../src/shared/principal.ts";

const who = (instanceRole: InstanceRole): Principal => ({
  userId: "u",
  username: "u",
  instanceRole,
  key: null,
});
const granted = (role: AppRole | null) => ({ app_id: "a", granted: role });
const status = (work: () => unknown): number => {
  try {
    work();
    return 200;
  } catch (error) {
    return error instanceof AppError ? error.status : 0;
  }
};

describe("capabilities in an app", () => {
  const allowed = (role: AppRole) =>
    (Object.keys(APP_CAPABILITIES) as AppCapability[])
      .filter((capability) => permits(role, capability))
      .toSorted();

  test("a viewer reads", () => {
    expect(allowed("viewer")).toEqual([
      "AppDocsRead",
      "AppFilesRead",
      "AppKvRead",
      "AppLogRead",
      "AppRead",
      "AppSecretsRead",
    ]);
  });

  test("an editor writes, but does not administer", () => {
    const rights = allowed("editor");
    expect(rights).toContain("AppWriteScript");
    expect(rights).toContain("AppWriteRoute");
    for (const right of ["AppAdmin", "AppManageDomains", "AppManageTriggers", "AppTopicManage"]) {
      expect(rights as string[]).not.toContain(right);
    }
  });

  test("an app admin may do everything", () => {
    expect(allowed("app_admin").length).toBe(Object.keys(APP_CAPABILITIES).length);
  });

  test("who cannot see the app gets 404, who can but may not gets 403", () => {
    expect(status(() => demand(who("member"), granted(null), "AppRead", "App"))).toBe(404);
    expect(status(() => demand(who("member"), granted("viewer"), "AppWriteScript", "App"))).toBe(403);
    expect(status(() => demand(who("member"), granted("editor"), "AppWriteScript", "App"))).toBe(200);
  });

  test("owners and admins are app admins everywhere", () => {
    expect(demand(who("owner"), granted(null), "AppAdmin", "App")).toBe("app_admin");
    expect(demand(who("admin"), granted("viewer"), "AppAdmin", "App")).toBe("app_admin");
  });
});

describe("with an API key", () => {
  const withKey = (role: InstanceRole, scopes: readonly Scope[], appId: string | null = null): Principal => ({
    ...who(role),
    key: { id: "k", scopes, appId },
  });
  const refusal = (work: () => unknown): AppError => {
    try {
      work();
    } catch (error) {
      if (error instanceof AppError) return error;
    }
    throw new Error("it was not refused");
  };

  test("the role must grant it first, then a scope must cover it", () => {
    const reader = withKey("member", ["script:read"]);
    const ask = (role: AppRole) => () => demand(reader, granted(role), "AppWriteScript", "App");
    expect(refusal(ask("viewer")).details).toMatchObject({ required_role: "editor" });
    expect(refusal(ask("editor")).details).toMatchObject({ required_scope: "script:write" });
    expect(status(() => demand(reader, granted("viewer"), "AppRead", "App"))).toBe(200);
    expect(
      status(() => demand(withKey("owner", ["script:write"]), granted(null), "AppWriteScript", "App")),
    ).toBe(200);
  });

  test("every capability is covered by its own scope and by no other", () => {
    for (const [capability, { scope }] of Object.entries(APP_CAPABILITIES)) {
      for (const carried of SCOPES) {
        const asked = () =>
          demand(withKey("owner", [carried]), granted(null), capability as AppCapability, "App");
        expect([capability, carried, status(asked)]).toEqual([
          capability,
          carried,
          carried === scope ? 200 : 403,
        ]);
      }
    }
  });

  test("a bound key finds no other app, whatever it carries and whoever owns it", () => {
    const bound = withKey("owner", SCOPES, "a");
    expect(demand(bound, granted(null), "AppAdmin", "App")).toBe("app_admin");
    const elsewhere = { app_id: "b", granted: "app_admin" } as const;
    for (const capability of Object.keys(APP_CAPABILITIES) as AppCapability[]) {
      expect(refusal(() => demand(bound, elsewhere, capability, "App")).status).toBe(404);
    }
    expect(effectiveRole(bound, elsewhere)).toBeNull();
  });

  test("the instance is administered with the role and its scope", () => {
    const ask = (principal: Principal) => status(() => demandInstance(principal, "InstanceCreateApp"));
    expect(ask(withKey("admin", ["instance:admin"]))).toBe(200);
    expect(ask(withKey("member", ["instance:admin"]))).toBe(403);
    expect(ask(withKey("owner", ["app:admin"]))).toBe(403);
  });
});

test("capabilities over the instance", () => {
  expect(status(() => demandInstance(who("member"), "InstanceCreateApp"))).toBe(403);
  expect(status(() => demandInstance(who("admin"), "InstanceCreateApp"))).toBe(200);
  expect(status(() => demandInstance(who("admin"), "InstanceManageSettings"))).toBe(403);
  expect(status(() => demandInstance(who("owner"), "InstanceManageSettings"))).toBe(200);
});
