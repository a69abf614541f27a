import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { chmod, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openDataDirectory } from "../src/data-directory.ts";
import { temporaryDirectory } from "./support/test-server.ts";

let top: string;
let path: string;

beforeEach(async () => {
  top = await temporaryDirectory();
  path = join(top, "a/b/data");
});

afterEach(() => rm(top, { recursive: true, force: true }));

describe("the data directory", () => {
  test("is created for its owner alone, with its parents", async () => {
    const directory = await openDataDirectory(path, null);
    expect(directory.path).toBe(path);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    directory.close();
  });

  test("is refused to a second one, naming the process that has it, and free when closed", async () => {
    const first = await openDataDirectory(path, null);
    await expect(openDataDirectory(path, null)).rejects.toMatchObject({
      code: "data_directory_in_use",
      message: `The data directory ${path} is in use by another PiCloud, process ${process.pid}. Stop it, or choose another directory (--data-dir).`,
      details: { pid: process.pid },
    });
    first.close();
    (await openDataDirectory(path, null)).close();
  });

  test("is free again when the process that had it was killed, although its children live on", async () => {
    const program = `
      const { openDataDirectory } = await import(${JSON.stringify(join(import.meta.dir, "../src/data-directory.ts"))});
      await openDataDirectory(${JSON.stringify(path)}, null);
      const child = Bun.spawn(["sleep", "30"], { stdio: ["ignore", "ignore", "ignore"] });
      console.log(child.pid);
      await Bun.sleep(30_000);`;
    const holder = Bun.spawn([process.execPath, "-e", program], { stdio: ["ignore", "pipe", "inherit"] });
    const { value } = await holder.stdout.getReader().read();
    const child = Number(new TextDecoder().decode(value));
    await expect(openDataDirectory(path, null)).rejects.toMatchObject({ details: { pid: holder.pid } });
    holder.kill("SIGKILL");
    await holder.exited;
    (await openDataDirectory(path, null)).close();
    process.kill(child);
  });

  test("says why it cannot be used", async () => {
    await writeFile(join(top, "file"), "");
    await expect(openDataDirectory(join(top, "file/data"), null)).rejects.toMatchObject({
      code: "data_directory_unusable",
      message: expect.stringContaining(
        `The data directory ${join(top, "file/data")} cannot be used: ENOTDIR`,
      ),
    });
  });
});

describe("the secret key", () => {
  test("is made on first start, readable by its owner alone, and stays", async () => {
    const first = await openDataDirectory(path, null);
    first.close();
    const second = await openDataDirectory(path, null);
    second.close();
    expect(first.secretKey).toHaveLength(32);
    expect(second.secretKey).toEqual(first.secretKey);
    expect((await stat(join(path, "secret.key"))).mode & 0o777).toBe(0o600);
    expect((await readFile(join(path, "secret.key"), "utf8")).trim()).toBe(
      Buffer.from(first.secretKey).toString("base64"),
    );
  });

  test("is the configured one when there is one, and nothing is written", async () => {
    const key = new Uint8Array(32).fill(7);
    const directory = await openDataDirectory(path, key);
    directory.close();
    expect(directory.secretKey).toEqual(key);
    expect(await Bun.file(join(path, "secret.key")).exists()).toBe(false);
  });

  test.each(["", "too short", `${"A".repeat(44)}`, Buffer.alloc(31).toString("base64")])(
    "is refused when the file holds %p, and the lock is given back",
    async (text) => {
      await mkdir(path, { recursive: true });
      await writeFile(join(path, "secret.key"), text);
      await expect(openDataDirectory(path, null)).rejects.toMatchObject({
        code: "invalid_secret_key",
        message: expect.stringContaining("does not hold the base64 text of 32 bytes"),
      });
      await rm(join(path, "secret.key"));
      await chmod(path, 0o700);
      (await openDataDirectory(path, null)).close();
    },
  );
});
