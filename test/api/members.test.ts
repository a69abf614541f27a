import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";
import { appAdminsGet, expectProblem, runScenarios } from "../manager/support/scenarios.ts";

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const outsider = () => plane.users["outsider"] ?? "";
const invite = (role: string) => ({ body: { user_id: outsider(), role } });

beforeEach(async () => {
  await plane.db`delete from app_members where user_id = ${outsider()}`;
  await plane.db`update app_members set role = 'viewer' where user_id = ${plane.users["viewer"] ?? ""}`;
});

describe("members", () => {
  runScenarios(
    () => plane,
    [
      {
        name: "GET /apps/blog/members",
        method: "GET",
        path: "/apps/blog/members",
        expect: appAdminsGet(200),
        // Nobody but members: neither those who may invite nor those who are gone.
        excludes: ["owner@example.com", "outsider@example.com", "deactivated@example.com"],
        check: ({ json }) =>
          expect(
            json.map((member: { username: string; role: string }) => [member.username, member.role]),
          ).toEqual([
            ["appAdmin", "app_admin"],
            ["editor", "editor"],
            ["viewer", "viewer"],
          ]),
      },
      {
        name: "POST /apps/blog/members",
        method: "POST",
        path: "/apps/blog/members",
        options: () => invite("editor"),
        expect: appAdminsGet(201),
        contains: ['"username":"outsider"', '"role":"editor"'],
      },
      {
        name: "PATCH /apps/blog/members/{user}",
        method: "PATCH",
        path: () => `/apps/blog/members/${plane.users["viewer"]}`,
        options: { body: { role: "viewer" } },
        expect: appAdminsGet(200),
      },
      {
        name: "DELETE /apps/blog/members/{user}",
        method: "DELETE",
        path: () => `/apps/blog/members/${outsider()}`,
        expect: appAdminsGet(204),
      },
      {
        name: "GET /apps/blog/members:candidates",
        method: "GET",
        path: "/apps/blog/members:candidates?q=OUT",
        expect: appAdminsGet(200),
        check: ({ json }) =>
          expect(json).toMatchObject([{ username: "outsider", email: "outsider@example.com" }]),
        excludes: ["owner@example.com", "viewer@example.com", "deactivated@example.com"],
      },
    ],
  );

  test("a grant and a change of role count at the next request", async () => {
    expect((await plane.call("outsider", "GET", "/apps/blog")).status).toBe(404);
    await plane.call("appAdmin", "POST", "/apps/blog/members", invite("viewer"));
    expect((await plane.call("outsider", "GET", "/apps/blog")).json.my_role).toBe("viewer");
    const path = `/apps/blog/members/${outsider()}`;
    await plane.call("appAdmin", "PATCH", path, { body: { role: "editor" } });
    expect((await plane.call("outsider", "GET", "/apps/blog")).json.my_role).toBe("editor");
    await plane.call("appAdmin", "DELETE", path);
    expect((await plane.call("outsider", "GET", "/apps/blog")).status).toBe(404);
  });

  test("of two grants at once one counts, and the other is told", async () => {
    const both = await Promise.all(
      ["viewer", "editor"].map((role) => plane.call("owner", "POST", "/apps/blog/members", invite(role))),
    );
    expect(both.map((answer) => answer.status).toSorted()).toEqual([201, 409]);
    const granted = both.find((answer) => answer.status === 201);
    const { json } = await plane.call("outsider", "GET", "/apps/blog");
    expect(json.my_role).toBe(granted?.json.role);
  });

  test("who cannot become a member is refused with the reason", async () => {
    const post = (body: unknown) => plane.call("appAdmin", "POST", "/apps/blog/members", { body });
    expectProblem(await post({ user_id: plane.users["admin"], role: "viewer" }), "role_not_member");
    expectProblem(await post({ user_id: plane.users["editor"], role: "viewer" }), "already_member");
    expectProblem(await post({ user_id: "nobody", role: "viewer" }), "not_found");
    expectProblem(await post({ user_id: outsider(), role: "king" }), "validation");
    await plane.db`update users set is_active = false where id = ${outsider()}`;
    expectProblem(await post({ user_id: outsider(), role: "viewer" }), "user_inactive");
    await plane.db`update users set is_active = true where id = ${outsider()}`;
  });

  test("a change of somebody who is no member is 404", async () => {
    const path = `/apps/blog/members/${outsider()}`;
    expectProblem(await plane.call("appAdmin", "PATCH", path, { body: { role: "editor" } }), "not_found");
  });
});
