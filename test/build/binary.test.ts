import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import manifest from "../../package.json" with { type: "json" };
import { binaryPath, ROOT } from "../../src/build/compile.ts";
import { HOST, platformOf } from "../../src/build/platform.ts";

/** Built by `npm test` before it runs any test. */
const BINARY = binaryPath(platformOf(HOST));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "picloud-binary-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the binary", () => {
  test("runs in an empty folder, without any environment", () => {
    const run = Bun.spawnSync([BINARY, "version"], { cwd: folder, env: {} });
    expect(run.stderr.toString()).toBe("");
    expect(run.stdout.toString()).toContain(manifest.version);
    expect(run.exitCode).toBe(0);
  });

  test("takes nothing from the folder that it is started in", () => {
    writeFileSync(join(folder, "intruder.ts"), 'console.log("intruder");');
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./intruder.ts"]\n');
    writeFileSync(join(folder, ".env"), "NODE_OPTIONS=--require=./intruder.ts\nPICLOUD_LISTEN=nonsense\n");
    writeFileSync(join(folder, "package.json"), '{"type":"commonjs","imports":{"#x":"./intruder.ts"}}');
    const run = Bun.spawnSync([BINARY, "version"], { cwd: folder, env: {} });
    expect(run.stdout.toString()).not.toContain("intruder");
    expect(run.exitCode).toBe(0);
  });

  test("is under 135 MB, PostgreSQL included", () => {
    expect(statSync(BINARY).size).toBeLessThan(135_000_000);
  });

  test("holds this platform's PostgreSQL alone, and no path of the machine that built it", async () => {
    const content = Buffer.from(await Bun.file(BINARY).arrayBuffer());
    // The stamp of the archive, as text.
    const platforms = [...content.toString("latin1").matchAll(/"platform":"((?:linux|darwin)-\w+)"/g)];
    expect(platforms.map(([, platform]) => platform)).toEqual([HOST]);
    expect(content.includes(`${ROOT}/`)).toBe(false);
  });
});

describe("naming a platform", () => {
  test("is refused for one that is not supported, with a list of those that are", () => {
    expect(() => platformOf("sparc")).toThrow(
      '"sparc" is not supported. Use one of: linux-x64, linux-arm64, darwin-arm64.',
    );
  });

  test("decides the file's name: this machine's is picloud", () => {
    expect(binaryPath(platformOf(HOST))).toBe(join(ROOT, "dist/picloud"));
    const other = HOST === "linux-arm64" ? "linux-x64" : "linux-arm64";
    expect(binaryPath(other)).toBe(join(ROOT, `dist/picloud-${other}`));
  });
});
