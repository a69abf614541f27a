import { describe, expect, test } from "bun:test";
import { curlExample, sample } from "../../../src/manager/openapi/page/example.ts";
import { html } from "../../../src/manager/openapi/page/markup.ts";
import { docsPage } from "../../../src/manager/openapi/page/page.ts";
import { schemaText } from "../../../src/manager/openapi/page/schema-text.ts";
import { document } from "../support/documented.ts";
import { faultsOf } from "../support/json-schema.ts";

const page = docsPage(document);
const resolve = (ref: string) => document.components.schemas[ref.replace("#/components/schemas/", "")] ?? {};
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
);

describe("the page of the API", () => {
  test("has every operation and every schema, and no link that leads nowhere", () => {
    for (const { operation } of operations)
      expect(page).toContain(`<details class="operation" id="${operation.operationId}">`);
    for (const name of Object.keys(document.components.schemas))
      expect(page).toContain(`id="schema-${name}"`);
    for (const [, id] of page.matchAll(/href="#([^"]*)"/g)) expect(page).toContain(` id="${id}"`);
  });

  test("names no other host and holds neither scripts nor styles of its own", () => {
    expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    expect(page).not.toMatch(/<style|<script>| style=| on[a-z]+=/);
  });

  test("escapes what it shows", () => {
    expect(html`<p title="${`"'`}">${"<b>&"}</p>`.text).toBe('<p title="&quot;&#39;">&lt;b&gt;&amp;</p>');
  });

  test("shows a schema as a type", () => {
    const schema = {
      type: "object",
      required: ["id"],
      additionalProperties: false,
      properties: {
        id: { type: "string" },
        role: { type: "string", enum: ["a", "b"] },
        size: { type: ["integer", "null"], minimum: 1 },
        apps: { type: "array", items: { $ref: "#/components/schemas/App" } },
      },
    };
    expect(schemaText(schema).text.replaceAll(/<[^>]+>/g, "")).toBe(
      "{\n  id: string\n  role?: &quot;a&quot; | &quot;b&quot;\n  size?: integer | null // at least 1\n  apps?: App[]\n}",
    );
  });
});

describe("the examples", () => {
  test("send bodies that fit their schemas", () => {
    for (const { method, path, operation } of operations) {
      const schema = operation.requestBody?.content["application/json"]?.schema;
      if (schema === undefined) continue;
      const faults = faultsOf(sample(schema, "value", resolve), schema, resolve);
      expect([method, path, faults.filter((fault) => !fault.includes("too short"))]).toEqual([
        method,
        path,
        [],
      ]);
    }
  });

  test("are commands for a shell", () => {
    const path = "/api/v1/admin/apps/{app}/members";
    const operation = document.paths[path]?.["post"];
    if (operation === undefined) throw new Error("no such operation");
    expect(curlExample("POST", path, operation, resolve)).toBe(
      `curl -X POST "$PICLOUD_URL/api/v1/admin/apps/APP/members" \\
  -H "Authorization: Bearer $PICLOUD_TOKEN" \\
  -H "Content-Type: application/json" \\
  -d '{"user_id":"user_id","role":"app_admin"}'`,
    );
  });
});
