import { expect, test } from "bun:test";
import { Engine } from "../../src/rhai/index.ts";
import { readCases } from "./conformance.ts";
import { mutate, random } from "./mutation.ts";

/** `RHAI_FUZZ=1000000 bun test robustness` runs longer; each run has other inputs when `RHAI_SEED` differs. */
const COUNT = Number(process.env["RHAI_FUZZ"] ?? 4000);
const SEED = Number(process.env["RHAI_SEED"] ?? 1);

test(
  "no source makes the compiler or a run throw",
  async () => {
    const cases = readCases();
    const next = random(SEED);
    const engine = new Engine({ allowEval: true });
    const suspending = new Engine({ allowEval: true, forceSuspension: true });
    let ran = 0;
    for (let i = 0; i < COUNT; i++) {
      const source = mutate(cases, next);
      try {
        const limits = {
          maxOperations: 20_000,
          maxStringSize: 100_000,
          maxArraySize: 100_000,
          maxMapSize: 10_000,
        };
        const compiled = (i % 4 === 0 ? suspending : engine).compile(source, { limits });
        if (!compiled.ok) {
          expect(compiled.diagnostics.length).toBeGreaterThan(0);
          continue;
        }
        const result = await compiled.script.run({ limits, deadline: performance.now() + 2000 });
        if (!result.ok && result.fault !== undefined) throw result.fault;
        ran++;
      } catch (error) {
        throw new Error(JSON.stringify(source), { cause: error });
      }
    }
    expect(ran).toBeGreaterThan(COUNT / 20);
  },
  1000 * 60 * 60,
);
