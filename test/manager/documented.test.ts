import { describe, expect, test } from "bun:test";
import type { Answer } from "./support/control-plane.ts";
import { checkDocumented, operationFor } from "./support/documented.ts";
import { faultsOf } from "./support/json-schema.ts";

const answer = (status: number, json: unknown, headers: Record<string, string> = {}): Answer => ({
  status,
  headers: new Headers({ "content-type": "application/json", ...headers }),
  text: json === undefined ? "" : JSON.stringify(json),
  json,
});
const app = {
  id: "a",
  slug: "a",
  name: "A",
  description: "",
  paused: false,
  paused_until: null,
  created_at: "",
  updated_at: "",
  my_role: "viewer",
};

describe("the comparison of answers with the OpenAPI document", () => {
  test("passes what is declared", () => {
    checkDocumented("GET", "/apps/blog?x=1", answer(200, app));
    checkDocumented("DELETE", "/apps/blog", { ...answer(204, undefined), headers: new Headers() });
  });

  test("fails for a status, a field, a content type or an ETag that is not declared, and for one that is missing", () => {
    const get = (given: Answer) => () => checkDocumented("GET", "/apps/blog", given);
    expect(get(answer(418, app))).toThrow("does not declare this status");
    expect(get(answer(200, { ...app, secret: 1 }))).toThrow("secret is not declared");
    expect(get(answer(200, { ...app, slug: undefined }))).toThrow("slug");
    expect(get(answer(200, { ...app, my_role: "king" }))).toThrow("$.my_role");
    expect(get(answer(200, app, { "content-type": "text/html" }))).toThrow("content type text/html");
    expect(get(answer(200, app, { etag: '"1"' }))).toThrow("ETag is not declared");
    expect(() => checkDocumented("GET", "/scripts/x", answer(200, {}))).toThrow("declared ETag is missing");
    expect(() => checkDocumented("DELETE", "/apps/blog", answer(204, {}))).toThrow("no body is declared");
    expect(() => checkDocumented("GET", "/nothing", answer(200, {}))).toThrow("no such operation");
  });

  test("tells a verb from a version", () => {
    const path = "/api/v1/admin/scripts/x/versions/3";
    expect(operationFor("GET", path)?.path).toEndWith("/versions/{version}");
    expect(operationFor("POST", `${path}:activate`)?.path).toEndWith("/versions/{version}:activate");
  });

  test("refuses a schema with a keyword that it does not check", () => {
    expect(() => faultsOf(1, { multipleOf: 2 }, () => ({}))).toThrow("multipleOf");
  });
});
