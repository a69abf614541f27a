import { describe, expect, test } from "bun:test";
import { COMPONENTS } from "../../../src/manager/openapi/components.ts";
import { published } from "../../../src/manager/openapi/document.ts";
import { EXTRAS } from "../../../src/manager/openapi/extras.ts";
import { NEEDS } from "../../../src/manager/openapi/index.ts";
import { document, endpoints } from "../support/documented.ts";

const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ method, path, operation })),
);
const admin = operations.filter(({ path }) => path.startsWith("/api/v1/admin/"));
const keys = admin.map(({ method, path }) => `${method.toUpperCase()} ${path.slice("/api/v1/admin".length)}`);

describe("the OpenAPI document", () => {
  test("has every endpoint that is registered, and no other", () => {
    const registered = endpoints.map(
      ({ method, path }) =>
        `${method} ${path
          .replace(/\/~run\/:tid$/, "/:tid/~run")
          .replaceAll(/\/:(\w+)/g, "/{$1}")
          .replaceAll("/~", ":")}`,
    );
    const documented = admin.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(documented.toSorted()).toEqual(registered.toSorted());
    expect(documented.length).toBeGreaterThan(30);
  });

  test("has what is answered outside the control plane", () => {
    for (const path of ["/healthz", "/readyz", "/version", "/metrics", "/api/v1/execute/{script_id}"])
      expect(Object.keys(document.paths)).toContain(path);
  });

  test("says of every operation what it is for, to which noun it belongs, and what it may answer", () => {
    for (const { method, path, operation } of operations) {
      const where = `${method} ${path}`;
      expect([where, operation.summary.length > 3]).toEqual([where, true]);
      expect([where, operation.tags.length]).toEqual([where, 1]);
      const statuses = Object.keys(operation.responses);
      expect([where, statuses.some((status) => status.startsWith("2"))]).toEqual([where, true]);
      for (const [status, response] of Object.entries(operation.responses)) {
        expect([where, status, response.description]).toEqual([
          where,
          status,
          expect.stringMatching(/^(?!Error$)./),
        ]);
        if (Number(status) >= 400)
          expect(Object.keys(response.content ?? {})).toEqual(["application/problem+json"]);
      }
    }
  });

  test("gives every operation an id of its own", () => {
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z0-9]+$/);
    expect(ids).toContain("getAppsByAppMembersCandidates");
  });

  test("declares each parameter of a path, and only those", () => {
    for (const { path, operation } of operations) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
      const declared = (operation.parameters ?? [])
        .filter((one) => one.in === "path")
        .map(({ name }) => name);
      expect([path, declared.toSorted()]).toEqual([path, named.toSorted()]);
    }
  });

  test("knows what each operation needs, and of no operation that is gone", () => {
    expect(Object.keys(NEEDS).toSorted()).toEqual(keys.toSorted());
    expect(Object.keys(EXTRAS).filter((key) => !keys.includes(key))).toEqual([]);
  });

  test("uses each schema that it names, and names none twice", () => {
    const text = JSON.stringify(document);
    for (const name of Object.keys(COMPONENTS))
      expect([name, text.includes(`"#/components/schemas/${name}"`)]).toEqual([name, true]);
    for (const [, name = ""] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name);
    const texts = Object.values(COMPONENTS).map((schema) => JSON.stringify(schema));
    expect(new Set(texts).size).toBe(texts.length);
  });

  test("is sent with its problem answers written out once each", () => {
    const text = JSON.stringify(published(document));
    expect(text.length).toBeLessThan(JSON.stringify(document).length * 0.6);
    const refs = [...text.matchAll(/"#\/components\/responses\/(\w+)"/g)].map(([, name = ""]) => name);
    const { responses } = JSON.parse(text).components as { responses: Record<string, object> };
    expect(Object.keys(responses).toSorted()).toEqual([...new Set(refs)].toSorted());
  });

  test("shows a number in a query as a number", () => {
    const { parameters } = document.paths["/api/v1/admin/scripts/{id}/logs"]?.["get"] ?? {};
    expect(parameters?.find(({ name }) => name === "limit")).toEqual({
      name: "limit",
      in: "query",
      description: "a whole number from 1 to 200",
      schema: { type: "integer", minimum: 1, maximum: 200 },
    });
  });

  test("tells that a deployment takes the source as it is, and JSON as well", () => {
    const put = document.paths["/api/v1/admin/apps/{app}/scripts/{name}"]?.["put"];
    expect(Object.keys(put?.requestBody?.content ?? {})).toEqual(["text/plain", "application/json"]);
    expect(put?.parameters?.map(({ name }) => name)).toContain("If-Match");
    expect(put?.responses["201"]?.headers).toHaveProperty("ETag");
  });
});
