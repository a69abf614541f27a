import { expect, test } from "bun:test";
import { EVERYTHING, needsOf } from "../../src/executor/needs.ts";

test.each([
  ["1 + 1", null],
  ["ctx.request.params.name", { members: [], request: ["params"] }],
  ["ctx.request.path + ctx.request.query.x + ctx.request.path", { members: [], request: ["path", "query"] }],
  ["ctx.execution_id + ctx.sdk_version", { members: [], request: [] }],
  ["ctx.attempt", { members: ["attempt"], request: [] }],
  ["ctx.principal.username", { members: ["principal"], request: [] }],
])("%p needs only what it names", (source, needs) => {
  expect(needsOf(source)).toEqual(needs as ReturnType<typeof needsOf>);
});

test.each([
  "ctx",
  "let c = ctx; c.request",
  'ctx["request"]',
  "ctx .request.path",
  "ctx\n.request.path",
  "ctx?.request.path",
  "ctx.request",
  'ctx.request["headers"]',
  "ctx.request?.headers",
  "ctx.request .headers",
  "let r = ctx.request; r.headers",
  '"event" in ctx',
  "`${ctx}`",
  "ctx./* c */request.path",
  "ctx.keys()",
  "ctx.request.keys()",
  "ctx.unknown",
  "ctx.request.params2",
])("%p may need everything", (source) => {
  expect(needsOf(source)).toBe(EVERYTHING);
});
