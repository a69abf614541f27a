import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { referenceMarkdown, sdkReference } from "../../../src/executor/sdk/reference/index.ts";
import { allNamespaces } from "../../../src/executor/sdk/reference/reference.ts";
import { seed } from "../../services/seed.ts";
import { scriptApp } from "./support/script-app.ts";

setDefaultTimeout(60_000);

const plane = scriptApp();
let apps = 0;

/** Runs in an app of its own. */
const run = async (source: string): Promise<string> =>
  plane().run(source, await seed(plane().database.db).app(`reference-${++apps}`));

const inDebugForm = (source: string): string => `let value = {\n${source}\n};\nvalue.to_debug()`;

for (const { name: namespace, functions } of allNamespaces) {
  describe(namespace, () => {
    for (const { name, example, errors } of functions) {
      test(`${name} does what its example says`, async () => {
        expect(example.source).toMatch(new RegExp(`\\b${name}\\(`));
        expect(await run(inDebugForm(example.source))).toBe(example.result);
      });

      for (const { source, message } of errors) {
        test(`${name} throws: ${message.slice(0, 80)}`, async () => {
          expect(await run(source)).toBe(message);
        });
      }
    }
  });
}

test("no two functions of a namespace have the same name", () => {
  for (const { functions } of allNamespaces) {
    const names = functions.map(({ name, handle }) => `${handle}.${name}`);
    expect(names).toEqual([...new Set(names)]);
  }
});

test("a handle's methods are reached by a function that returns it", () => {
  for (const { functions } of allNamespaces) {
    const handles = new Set(functions.flatMap(({ handle }) => handle ?? []));
    for (const handle of handles)
      expect(functions.some((fn) => fn.handle === null && fn.returns === handle)).toBe(true);
  }
});

test("lists the members that ctx has", async () => {
  const members = JSON.parse(
    await run('let all = ctx.keys(); all += ctx.request.keys().map(|k| "request." + k); all'),
  );
  // A run by request has no event.
  const listed = sdkReference()
    .ctx.map(({ name }) => name.slice("ctx.".length))
    .filter((name) => !name.startsWith("event."));
  // Only a run that a trigger started has an event, and no other run is without `request`.
  expect([...members, "event"].filter((name) => name !== "request").toSorted()).toEqual(listed.toSorted());
});

test("the committed page is the one that the declarations make", async () => {
  const committed = await Bun.file("src/executor/sdk/REFERENCE.md").text();
  const hint = "npx bun src/main.ts sdk > src/executor/sdk/REFERENCE.md";
  expect(committed === referenceMarkdown(sdkReference()) ? "" : `stale; write it anew: ${hint}`).toBe("");
});
