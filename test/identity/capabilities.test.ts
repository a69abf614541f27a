import { describe, expect, test } from "bun:test";
import {
  APP_CAPABILITIES,
  demand,
  demandInstance,
  permits,
  type AppCapability,
} from "../../src/services/identity/index.ts";
import { AppError } from "../../src/shared/errors.ts";
import type { AppRole, InstanceRole, Principal } from "../../src/shared/principal.ts";

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

test("capabilities over the instance", () => {
  expect(status(() => demandInstance(who("member"), "InstanceCreateApp"))).toBe(403);
  expect(status(() => demandInstance(who("admin"), "InstanceCreateApp"))).toBe(200);
  expect(status(() => demandInstance(who("admin"), "InstanceManageSettings"))).toBe(403);
  expect(status(() => demandInstance(who("owner"), "InstanceManageSettings"))).toBe(200);
});
