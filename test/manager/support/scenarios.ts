import { expect, test } from "bun:test";
import type { Actor, Answer, CallOptions, ControlPlane, Json } from "./control-plane.ts";

/** One endpoint, asked by several actors. */
export interface Scenario {
  readonly name: string;
  readonly method: string;
  readonly path: string | ((plane: ControlPlane) => string);
  readonly options?: CallOptions | ((plane: ControlPlane) => CallOptions);
  /** Status by actor. Who is not named is not asked. */
  readonly expect: Partial<Record<Actor, number>>;
  /** Texts in every successful answer. */
  readonly contains?: readonly string[];
  /** Texts in no answer at all. */
  readonly excludes?: readonly string[];
  /** Looks at a successful answer. */
  readonly check?: (answer: Answer, actor: Actor) => void;
  /** Undoes what a successful call did, so that the next actor finds things as they were. */
  readonly restore?: (plane: ControlPlane, answer: Answer) => Promise<unknown>;
}

/** Callers without a good credential. */
const NOBODY = { guest: 401, wrong: 401, deactivated: 401, expiredKey: 401 } as const;
/** Callers who may not know that the app `blog` exists. */
const STRANGERS = { outsider: 404, otherBoundKey: 404 } as const;

type Expectation = Required<Scenario["expect"]>;

/** Of an endpoint for viewers of `blog` (scope script:read or log:read): everybody's status. */
export const viewersGet = (status: number): Expectation => ({
  ...NOBODY,
  ...STRANGERS,
  owner: status,
  admin: status,
  viewer: status,
  editor: status,
  appAdmin: status,
  readKey: status,
  fullKey: status,
  boundKey: status,
});

/** Likewise for editors. */
export const editorsGet = (status: number): Expectation => ({
  ...viewersGet(status),
  viewer: 403,
  readKey: 403,
});

/** Likewise for app admins. */
export const appAdminsGet = (status: number): Expectation => ({ ...editorsGet(status), editor: 403 });

/** Of an endpoint about the instance, for its owners and admins. */
export const instanceAdminsGet = (status: number): Expectation => ({
  ...appAdminsGet(403),
  owner: status,
  admin: status,
  fullKey: status,
  outsider: 403,
  otherBoundKey: 403,
});

/** What no answer to anybody may hold. */
const NEVER = ["argon2", "password_hash", "token_sha256", "catalog_version"];

/** Makes one test per scenario and actor. */
export function runScenarios(plane: () => ControlPlane, scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    for (const [actor, status] of Object.entries(scenario.expect) as [Actor, number][]) {
      test(`${scenario.name}: ${actor} gets ${status}`, async () => {
        const running = plane();
        const path = typeof scenario.path === "string" ? scenario.path : scenario.path(running);
        const options = typeof scenario.options === "function" ? scenario.options(running) : scenario.options;
        const answer = await running.call(actor, scenario.method, path, options);
        expect({ status: answer.status, text: answer.status === status ? "" : answer.text }).toEqual({
          status,
          text: "",
        });
        expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
        expect(answer.headers.get("cache-control")).toBe("no-store");
        for (const text of [...NEVER, ...(scenario.excludes ?? [])]) expect(answer.text).not.toContain(text);
        if (status < 400) {
          for (const text of scenario.contains ?? []) expect(answer.text).toContain(text);
          scenario.check?.(answer, actor);
          await scenario.restore?.(running, answer);
        } else {
          expectProblem(answer);
        }
      });
    }
  }
}

/** That an answer is a complete problem document. @returns it */
export function expectProblem(answer: Answer, code?: string): Json {
  expect(answer.headers.get("content-type")).toBe("application/problem+json");
  const { json } = answer;
  expect(json.status).toBe(answer.status);
  expect(json.error).toBe(json.detail);
  expect(json.detail.length).toBeGreaterThan(5);
  expect(json.title).not.toBe("Error");
  expect(json.type).toBe("about:blank");
  expect(json.request_id).toBe(answer.headers.get("x-request-id"));
  if (code !== undefined) expect(json.code).toBe(code);
  return json;
}
