import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { arm64Emulator } from "../../src/build/arm64-emulator.ts";
import { ROOT } from "../../src/build/compile.ts";
import { smokeArm64 } from "../../src/build/smoke-arm64.ts";
import { emptyDatabase } from "../support/postgres.ts";

const emulator = await arm64Emulator();
if (typeof emulator === "string") {
  process.stderr.write(`skipped: the arm64 binary is not run, as ${emulator}\n`);
}

describe("the arm64 binary", () => {
  test.skipIf(typeof emulator === "string")(
    "starts, answers /healthz, saves and runs a script, and stops cleanly",
    async () => {
      if (typeof emulator === "string") return;
      const database = await emptyDatabase();
      try {
        const smoke = await smokeArm64(emulator, database.target);
        expect(smoke.version).toContain(manifest.version);
        expect(smoke.healthz).toBe(200);
        expect(smoke.saved).toBe(201);
        expect(smoke.answer).toBe("arm64: 55");
        expect(smoke.exitCode).toBe(0);
        const header = await Bun.file(join(ROOT, "dist/picloud-linux-arm64")).slice(0, 20).bytes();
        expect(header[18]).toBe(0xb7); // EM_AARCH64
      } finally {
        await database.drop();
      }
    },
    180_000,
  );
});
