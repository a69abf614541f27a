import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { placesOf } from "../../src/cli/completions/tree.ts";
import { wholeProgram } from "../../src/cli/program.ts";
import { folderWith, picloud } from "./support/picloud.ts";

const folder = folderWith({ "hello.rhai": "1", "many/one.rhai": "1", "with space.rhai": "1" });

async function scriptFor(name: string): Promise<string> {
  const { exit, stdout } = await picloud(folder, ["completions", name]);
  expect(exit).toBe(0);
  const path = join(folder, `completions.${name}`);
  await Bun.write(path, stdout);
  return path;
}

function shell(command: readonly string[]): { readonly exit: number; readonly out: string } {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
  });
  return { exit: exitCode, out: stdout.toString() + stderr.toString() };
}

describe("bash", () => {
  /** What bash offers for the last of the words. */
  async function offered(...words: string[]): Promise<string[]> {
    const program = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _picloud; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { exit, out } = shell(["bash", "--norc", "-c", program, "bash", await scriptFor("bash"), ...words]);
    expect(exit).toBe(0);
    return out.split("\n").filter((line) => line !== "");
  }

  test("offers commands, subcommands and options", async () => {
    expect(await offered("picloud", "")).toEqual(expect.arrayContaining(["serve", "deploy", "apps", "help"]));
    expect(await offered("pic", "ap")).toEqual(["apply", "apps", "api-keys"]);
    expect(await offered("picloud", "apps", "")).toEqual([
      "ls",
      "create",
      "show",
      "pause",
      "resume",
      "delete",
      "rm",
    ]);
    expect(await offered("picloud", "apps", "rm", "--f")).toEqual(["--force"]);
    expect(await offered("picloud", "help", "ru")).toEqual(["run"]);
  });

  test("offers the values that an option may have, and passes over those that were given", async () => {
    expect(await offered("picloud", "apps", "ls", "--output", "")).toEqual(["table", "tsv", "json"]);
    expect(await offered("picloud", "users", "create", "--role", "o")).toEqual(["owner"]);
    expect(await offered("picloud", "--url", "apps", "whoam")).toEqual(["whoami"]);
    expect(await offered("picloud", "completions", "")).toEqual(["bash", "zsh", "fish"]);
  });

  test("offers files where one is wanted", async () => {
    expect(await offered("picloud", "deploy", "h")).toEqual(["hello.rhai"]);
    expect(await offered("picloud", "check", "with")).toEqual(["with space.rhai"]);
    expect(await offered("picloud", "whoami", "")).toEqual([]);
  });
});

test("zsh reads its script and offers the same", async () => {
  const path = await scriptFor("zsh");
  if (Bun.which("zsh") === null) {
    console.log("skipped: zsh is not installed");
    return;
  }
  const program = `
    compdef() { print -r -- "compdef $*" }
    _describe() { print -r -- "$1: \${(P)2[*]}" }
    compadd() { shift; print -r -- "$*" }
    _files() { print -r -- files }
    source ${path}
    offer() { words=("$@"); CURRENT=$#; _picloud }
    offer picloud apps ''
    offer picloud apps ls --output ''
    offer picloud deploy ''
    offer picloud apps rm --
  `;
  const { exit, out } = shell(["zsh", "-f", "-c", program]);
  expect([exit, out]).toEqual([0, expect.any(String)]);
  expect(out).toContain("compdef _picloud picloud pic");
  expect(out).toContain("command: ls:list the apps that you see create:create an app");
  expect(out).toContain("\ntable tsv json\n");
  expect(out).toContain("\nfiles\n");
  expect(out).toContain("--force:");
});

test("fish reads its script and offers the same", async () => {
  const path = await scriptFor("fish");
  if (Bun.which("fish") === null) {
    console.log("skipped: fish is not installed");
    return;
  }
  const offered = (line: string): string[] => {
    const { exit, out } = shell(["fish", "--no-config", "-c", `source ${path}; complete -C '${line}'`]);
    expect(exit).toBe(0);
    return out
      .split("\n")
      .map((text) => text.split("\t")[0] ?? "")
      .filter((text) => text !== "");
  };
  expect(offered("picloud apps ").toSorted()).toEqual([
    "create",
    "delete",
    "ls",
    "pause",
    "resume",
    "rm",
    "show",
  ]);
  expect(offered("picloud apps ls --output ")).toEqual(["json", "table", "tsv"]);
  expect(offered("picloud --url apps whoam")).toEqual(["whoami"]);
  expect(offered("picloud deploy h")).toEqual(["hello.rhai"]);
  expect(offered("pic apps rm --fo")).toEqual(["--force"]);
});

test("everything that the program knows is in every script", async () => {
  const places = placesOf(await wholeProgram());
  expect(places.length).toBeGreaterThan(40);
  const words = places.flatMap(({ commands, options }) => [
    ...commands.flatMap(({ names }) => names),
    ...options.flatMap(({ names }) =>
      names.filter((name) => name.startsWith("--")).map((name) => name.slice(2)),
    ),
  ]);
  for (const name of ["bash", "zsh", "fish"]) {
    const script = await Bun.file(await scriptFor(name)).text();
    expect(words.filter((word) => !script.includes(word))).toEqual([]);
  }
});

test("another shell is a usage error", async () => {
  expect((await picloud(folder, ["completions", "tcsh"])).exit).toBe(2);
});
