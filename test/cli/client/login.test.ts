import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { folderWith, onTerminal, picloud } from "../support/picloud.ts";
import { PASSWORD, USERNAME, workplace } from "../support/server.ts";

const place = workplace();
const credentials = (folder: string): string => join(folder, "config/picloud/credentials.toml");

test("the login is kept for this user's eyes only, and is not the password", () => {
  const file = credentials(place.folder);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(join(file, "..")).mode & 0o777).toBe(0o700);
  const text = readFileSync(file, "utf8");
  expect(Bun.TOML.parse(text)).toEqual({ url: place.url, token: expect.stringMatching(/^[\w-]{43}$/) });
  expect(text).not.toContain(PASSWORD);
});

test("without a terminal URL, username and password are lines of stdin; the URL may be missing", async () => {
  const folder = folderWith({});
  const first = await picloud(folder, ["login"], `${place.url}/admin\n${USERNAME}\n${PASSWORD}\n`);
  expect(first).toEqual({
    exit: 0,
    stdout: "",
    stderr: expect.stringContaining(`Signed in to ${place.url} as admin (owner)`),
  });
  // Where somebody signed in before is where they sign in again.
  const second = await picloud(folder, ["login"], `${USERNAME}\n${PASSWORD}\n`);
  expect(second.exit).toBe(0);
  expect(readFileSync(credentials(folder), "utf8")).toContain(place.url);
});

test("on a terminal it asks, shows what is typed but for the password, and asks again after a wrong one", async () => {
  const folder = folderWith({});
  const dialogue = onTerminal(folder, ["login"]);
  try {
    await dialogue.until("URL [http://127.0.0.1:8080]: ");
    dialogue.type(`${place.url}\r`);
    await dialogue.until("Username: ");
    dialogue.type(`${USERNAME}\r`);
    await dialogue.until("Password for admin: ");
    dialogue.type("wrong\r");
    await dialogue.until("Wrong username or password.");
    await dialogue.until("Password for admin: ");
    dialogue.type(`${PASSWORD}\r`);
    await dialogue.until("Signed in to");
    expect(await dialogue.exited).toBe(0);
    expect(dialogue.shown()).toContain(USERNAME);
    expect(dialogue.shown()).not.toContain(PASSWORD);
  } finally {
    dialogue.kill();
  }
});

test("Ctrl-C at a question ends it without a trace", async () => {
  const folder = folderWith({});
  const dialogue = onTerminal(folder, ["login", "--url", place.url, "--username", USERNAME]);
  try {
    await dialogue.until("Password for admin: ");
    dialogue.type("\x03");
    expect(await dialogue.exited).toBe(1);
    await dialogue.until("picloud: cancelled");
    expect(existsSync(credentials(folder))).toBe(false);
  } finally {
    dialogue.kill();
  }
});

test("a wrong password is exit code 3 and keeps nothing", async () => {
  const folder = folderWith({});
  const ended = await picloud(folder, ["login", "--url", place.url, "--username", USERNAME], "wrong\n");
  expect(ended).toEqual({ exit: 3, stdout: "", stderr: "HTTP 401: Wrong username or password.\n" });
  expect(existsSync(credentials(folder))).toBe(false);
});

test("a token can be kept instead; one that is not valid is refused and keeps the login before", async () => {
  const { token } = Bun.TOML.parse(readFileSync(credentials(place.folder), "utf8")) as { token: string };
  const folder = folderWith({});
  const good = await picloud(folder, ["login", "--url", place.url, "--token", token]);
  expect(good.exit).toBe(0);
  const before = readFileSync(credentials(folder), "utf8");
  const bad = await picloud(folder, ["login", "--url", place.url], "", { PICLOUD_TOKEN: "nonsense" });
  expect(bad.exit).toBe(3);
  expect(readFileSync(credentials(folder), "utf8")).toBe(before);
});

test("whoami asks the server", async () => {
  const { exit, stdout } = await place.run(["whoami"]);
  expect(exit).toBe(0);
  expect(stdout).toContain(`url\t${place.url}\nusername\tadmin\nrole\towner\n`);
});

test("whoever has not signed in is told how", async () => {
  expect(await place.runAnonymously(["whoami"])).toEqual({
    exit: 3,
    stdout: "",
    stderr: "picloud: Not logged in. Sign in with `picloud login`, or set PICLOUD_URL and PICLOUD_TOKEN.\n",
  });
});

test("a token that the server does not know any more is exit code 3", async () => {
  const ended = await place.runAnonymously(["apps", "ls"], {
    env: { PICLOUD_URL: place.url, PICLOUD_TOKEN: "expired" },
  });
  expect(ended).toEqual({
    exit: 3,
    stdout: "",
    stderr: `HTTP 401: The bearer token is not valid, or has expired. Log in again.\nSign in with \`picloud login --url ${place.url}\`.\n`,
  });
});

test("PICLOUD_URL and PICLOUD_TOKEN win over the kept login", async () => {
  const { token } = Bun.TOML.parse(readFileSync(credentials(place.folder), "utf8")) as { token: string };
  const folder = folderWith({});
  const env = { PICLOUD_URL: place.url, PICLOUD_TOKEN: token };
  expect((await picloud(folder, ["whoami"], "", env)).exit).toBe(0);
  const elsewhere = await place.run(["whoami"], { env: { PICLOUD_TOKEN: "x" } });
  expect(elsewhere.exit).toBe(3);
});

test("the kept token is never sent to another server", async () => {
  const seen: (string | null)[] = [];
  const other = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: (request) => {
      seen.push(request.headers.get("authorization"));
      return new Response("?");
    },
  });
  try {
    const ended = await place.run(["whoami", "--url", `http://127.0.0.1:${other.port}`]);
    expect(ended.exit).toBe(3);
    expect(ended.stderr).toContain(`Not logged in to http://127.0.0.1:${other.port}.`);
    expect(seen).toEqual([]);
  } finally {
    await other.stop(true);
  }
});

test("logout ends the login on the server too, and can be repeated", async () => {
  const folder = folderWith({});
  await picloud(folder, ["login", "--url", place.url, "--username", USERNAME], PASSWORD);
  const { token } = Bun.TOML.parse(readFileSync(credentials(folder), "utf8")) as { token: string };
  expect(await picloud(folder, ["logout"])).toEqual({ exit: 0, stdout: "", stderr: "Signed out.\n" });
  expect(existsSync(credentials(folder))).toBe(false);
  const again = await fetch(`${place.url}/api/v1/admin/auth/me`, {
    headers: { Authorization: `Bearer ${token}` },
  });
  expect(again.status).toBe(401);
  expect(await picloud(folder, ["logout"])).toEqual({
    exit: 0,
    stdout: "",
    stderr: "Nobody was signed in.\n",
  });
});

test("logout forgets the login even when the server is away", async () => {
  const folder = folderWith({});
  mkdirSync(join(folder, "config/picloud"), { recursive: true });
  writeFileSync(credentials(folder), 'url = "http://127.0.0.1:1"\ntoken = "t"\n');
  const ended = await picloud(folder, ["logout"]);
  expect(ended.exit).toBe(0);
  expect(ended.stderr).toContain("The login is forgotten here");
  expect(existsSync(credentials(folder))).toBe(false);
});

test("a damaged credentials file is named", async () => {
  const folder = folderWith({ "config/picloud/credentials.toml": "url = \n" });
  const ended = await picloud(folder, ["whoami"]);
  expect(ended.exit).toBe(1);
  expect(ended.stderr).toContain(`${credentials(folder)} does not hold a login`);
});
