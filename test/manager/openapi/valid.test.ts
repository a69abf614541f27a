import { Validator } from "@seriousme/openapi-schema-validator";
import { expect, test } from "bun:test";
import { appDocument } from "../../../src/manager/openapi/app/document.ts";
import { published } from "../../../src/manager/openapi/document.ts";
import { document } from "../support/documented.ts";

/** Against the schema that the OpenAPI Initiative publishes for 3.1, with every schema in it against JSON Schema's own. */
async function faultsIn(given: object): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(JSON.parse(JSON.stringify(given)));
  return valid ? [] : errors;
}

test("the document of the API is valid OpenAPI 3.1", async () => {
  expect(await faultsIn(published(document))).toEqual([]);
});

test("so is that of an app, whatever its routes look like", async () => {
  const route = {
    script_id: "0199d1c4-0000-7000-8000-000000000000",
    script_name: "post",
    script_description: "",
    head: '//! @summary Posts\n//! @body {"a":1}\n//! @response 404 text\n1',
    host_kind: "any",
    host: "",
    path_kind: "param",
    path: "/posts/:id",
    method: null,
    dispatch_mode: "sync",
  } as const;
  const routes = [
    route,
    { ...route, host_kind: "strict", host: "blog.example.com" },
    { ...route, host_kind: "wildcard", host: "*.example.com", path_kind: "prefix", path: "/files/" },
    { ...route, path_kind: "exact", path: "/exact", method: "POST", dispatch_mode: "async" },
  ] as const;
  expect(await faultsIn(appDocument({ name: "Blog", description: "" }, routes, ["http://pi:8080"]))).toEqual(
    [],
  );
});

test("a document that is not valid is told apart", async () => {
  expect(await faultsIn({ ...published(document), paths: { "/x": { get: { responses: 7 } } } })).not.toEqual(
    [],
  );
});
