import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { published } from "../../src/manager/openapi/document.ts";
import { NEEDS } from "../../src/manager/openapi/index.ts";
import {
  ACTORS,
  startControlPlane,
  type Actor,
  type Answer,
  type ControlPlane,
} from "./support/control-plane.ts";
import { document } from "./support/documented.ts";
import { STANDING, verdict } from "./support/matrix/expectations.ts";
import { READS, requestFor } from "./support/matrix/requests.ts";
import { idsOf, makeWorld, MARK, phantomWorld, type World } from "./support/matrix/world.ts";
import { expectProblem } from "./support/scenarios.ts";

// Every operation of the OpenAPI document, asked by every actor, about real things of the app `blog`.

const ROOT = "/api/v1/admin";
const operations = Object.entries(document.paths)
  .filter(([path]) => path.startsWith(`${ROOT}/`))
  .flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      key: `${method.toUpperCase()} ${path.slice(ROOT.length)}`,
      needsInput:
        operation.requestBody !== undefined ||
        operation.parameters?.some((one) => one.in === "query" && one.required === true) === true,
    })),
  )
  .filter(({ key }) => NEEDS[key] !== "public");

/** Those who may not even know that `blog` exists. */
const STRANGERS: ReadonlySet<Actor> = new Set(
  ACTORS.filter((actor) => (STANDING[actor]?.appRole ?? null) === null),
);

let plane: ControlPlane;
let shared: World;
/** Of `shared` and of the app: what no stranger may ever see. */
let secrets: string[] = [];
/** Another app, which strangers administer. */
let elsewhere = "";
beforeAll(async () => {
  plane = await startControlPlane();
  shared = await makeWorld(plane, null);
  const [standard] = await plane.db<{ id: string }[]>`select id from apps where slug = 'default'`;
  elsewhere = standard?.id ?? "";
  await plane.db`insert into app_members (app_id, user_id, role)
    values (${elsewhere}, ${plane.users["outsider"] ?? ""}, 'app_admin')`;
  // Logins are recorded too; from here on, nobody needs another one.
  for (const actor of ACTORS) await plane.call(actor, "GET", "/auth/me");
  secrets = [...(await idsOf(plane, plane.blog)), MARK, '"blog"', '"Blog"'];
}, 60_000);
afterAll(() => plane?.stop(), 60_000);

const needOf = (key: string) => {
  const need = NEEDS[key];
  if (need === undefined) throw new Error(`${key} has no entry in src/manager/openapi/capabilities.ts`);
  return need;
};
const userIdOf = (actor: Actor): string => plane.users[STANDING[actor]?.user ?? ""] ?? "";

const ask = (actor: Actor, key: string, needsInput: boolean, world: World): Promise<Answer> => {
  const { method, path, options } = requestFor(key, world, needsInput);
  return plane.call(actor, method, path, options);
};

function expectNothingSecret(answer: Answer): void {
  const seen = secrets.filter((secret) => answer.text.includes(secret));
  expect(seen).toEqual([]);
  for (const value of answer.headers.values())
    expect(secrets.filter((secret) => value.includes(secret))).toEqual([]);
}

const auditRows = () =>
  plane.db<
    { actor_id: string; key_id: string | null; app_id: string | null; action: string; request_id: string }[]
  >`
    select actor_id, key_id, app_id, action, request_id from audit_log order by created_at, id`;

/** Of a problem: what must be the same whatever was asked for. */
const withoutRequest = ({ json }: Answer) => ({ ...json, request_id: "" });

test("the matrix has every operation that needs a credential", () => {
  expect(operations.length).toBeGreaterThan(40);
});

describe("who must not", () => {
  for (const { key, needsInput } of operations) {
    test(`${key}`, async () => {
      const need = needOf(key);
      const before = await auditRows();
      for (const actor of ACTORS) {
        const expected = verdict(need, actor);
        if (expected === "yes") continue;
        const answer = await ask(actor, key, needsInput, shared);
        expect([actor, answer.status]).toEqual([actor, expected]);
        expectProblem(answer);
        if (STRANGERS.has(actor)) expectNothingSecret(answer);
        if (expected !== 404) continue;
        // What exists in an app that is not theirs looks like what never existed.
        const phantom = await ask(actor, key, needsInput, phantomWorld());
        expect([actor, withoutRequest(phantom)]).toEqual([actor, withoutRequest(answer)]);
      }
      expect((await auditRows()).length).toBe(before.length);
    }, 30_000);
  }
});

describe("whoever administers another app", () => {
  // In paths that name an app and something in it. A name means another script, collection or key in another app.
  const twofold = operations.filter(
    ({ key }) => /\{app\}.*\{(?!name|collection)/.test(key) && !key.includes("{key}"),
  );

  for (const { key, needsInput } of twofold) {
    test(`${key} does not reach through it into blog`, async () => {
      const before = await auditRows();
      for (const actor of ["outsider", "otherBoundKey"] as const) {
        const answer = await ask(actor, key, needsInput, { ...shared, app: elsewhere });
        const phantom = await ask(actor, key, needsInput, { ...phantomWorld(), app: elsewhere });
        expect([actor, answer.status, withoutRequest(answer)]).toEqual([
          actor,
          phantom.status,
          withoutRequest(phantom),
        ]);
        // To end a membership that there is not is no fault.
        if (key !== "DELETE /apps/{app}/members/{user_id}")
          expect([actor, answer.status]).toEqual([actor, 404]);
        expectNothingSecret(answer);
      }
      expect(await auditRows()).toEqual(before);
    });
  }

  test("there are such paths", () => {
    expect(twofold.map(({ key }) => key)).toContain("DELETE /apps/{app}/domains/{domain_id}");
  });
});

describe("who may", () => {
  // Deleting the app itself comes last: the bound key may only delete the app that all the others work on.
  const last = "DELETE /apps/{app}";
  const ordered = [
    ...operations.filter(({ key }) => key !== last),
    ...operations.filter(({ key }) => key === last),
  ];
  for (const { key, needsInput } of ordered) {
    const changes = !key.startsWith("GET ") && !READS.has(key);
    test(`${key}${changes ? ", and it is recorded once" : ""}`, async () => {
      const need = needOf(key);
      for (const actor of ACTORS.filter((one) => one !== "boundKey" || key !== last)) {
        if (verdict(need, actor) === "yes") await checkAllowed(actor, key, needsInput, changes);
      }
      if (key === last) await checkAllowed("boundKey", key, needsInput, changes);
    }, 30_000);
  }

  async function checkAllowed(
    actor: Actor,
    key: string,
    needsInput: boolean,
    changes: boolean,
  ): Promise<void> {
    const app = key === last && actor !== "boundKey" ? await likeBlog() : plane.blog;
    const world = changes ? await makeWorld(plane, userIdOf(actor), app) : shared;
    const before = await auditRows();
    const answer = await ask(actor, key, needsInput, world);
    expect([actor, answer.status < 300 ? "yes" : `${answer.status} ${answer.text}`]).toEqual([actor, "yes"]);
    if (STRANGERS.has(actor)) expectNothingSecret(answer);
    const written = (await auditRows()).slice(before.length);
    if (!changes) {
      expect([actor, written]).toEqual([actor, []]);
      return;
    }
    expect([actor, written.map(({ action }) => action)]).toEqual([
      actor,
      [expect.stringMatching(/^[a-z_]+\.[a-z_]+$/)],
    ]);
    expect(written[0]?.actor_id).toBe(userIdOf(actor));
    expect(written[0]?.key_id !== null).toBe((STANDING[actor]?.scopes ?? null) !== null);
    expect(written[0]?.request_id).toBe(answer.headers.get("x-request-id") ?? "none");
    if (key.includes("{app}")) expect(written[0]?.app_id).toBe(app);
  }

  /** Another app with the members of `blog`. */
  async function likeBlog(): Promise<string> {
    const { n } = phantomWorld();
    const { json } = await plane.call("owner", "POST", "/apps", {
      body: { slug: `like-${n}`, name: "Like" },
    });
    await plane.db`insert into app_members (app_id, user_id, role)
      select ${json.id}, user_id, role from app_members where app_id = ${plane.blog}`;
    return json.id;
  }
});

test("the document, first asked for after all that, is what it was before", async () => {
  // Elysia changes objects that leave open whether they have further fields, when it first uses their endpoint.
  const request = new Request("http://pi:8080/api/v1/openapi.json");
  const answer = await plane.manager.handle(request, { remoteAddress: "10.0.0.1" });
  expect(await answer.json()).toEqual(JSON.parse(JSON.stringify(published(document))));
});
