import { expect, test } from "bun:test";
import { Engine } from "../../src/rhai/index.ts";
import { check, readCases } from "./conformance.ts";

async function failing(engine: Engine): Promise<string[]> {
  const ids: string[] = [];
  for (const item of readCases()) if ((await check(engine, item)).length > 0) ids.push(item.id);
  return ids;
}

test("answers as the official interpreter does", async () => {
  expect(await failing(new Engine({ allowEval: true }))).toEqual([]);
}, 60_000);

test("answers the same when every function is compiled as one that may suspend", async () => {
  expect(await failing(new Engine({ allowEval: true, forceSuspension: true }))).toEqual([]);
}, 60_000);
