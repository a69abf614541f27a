import { beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { workplace } from "../support/server.ts";

setDefaultTimeout(60_000);

const place = workplace();

const SHOP = `
[app]
slug = "shop"
name = "Shop"
domains = ["shop.example.com"]

[settings]
expose_errors = true
weight = 3
max_concurrent = false
rate_limit = { requests = 1000, window_seconds = 1, key = "header:X-Key" }

[scripts.orders]
description = "Takes orders"
timeout_seconds = 10
sandbox = { max_operations = 1_000_000 }
routes = ["/orders"]

[[scripts.one.routes]]
path = "/orders/:id"
method = "GET"
host = "Shop.example.com"
idempotent = true
rate_limit = { requests = 60, window_seconds = 60, key = "header:X-Key" }

[scripts.prices]
kind = "module"
file = "lib/prices.rhai"
`;
const ORDERS = 'import "prices" as p;\np::of(2)';

let folder = 0;
const here = (): string => join(place.folder, `shop${folder}`);
function write(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(here(), name)), { recursive: true });
    writeFileSync(join(here(), name), text);
  }
}

beforeEach(async () => {
  await place.call("DELETE", "/apps/shop?force=true");
  folder++;
  write({
    "picloud.toml": SHOP,
    "orders.rhai": ORDERS,
    "one.rhai": "ctx.request.params.id",
    "lib/prices.rhai": "fn of(x) { x * 21 }",
  });
});

const apply = (...args: string[]) => place.run(["apply", here(), ...args]);
const planOf = (tsv: string): string[] =>
  tsv
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) =>
      line
        .split("\t")
        .filter((text) => text !== "")
        .join(" "),
    );

const CREATED = [
  "create app shop",
  "create settings shop",
  "create domain shop.example.com",
  "create script prices",
  "create script orders",
  "create script one",
  "create route /orders of orders",
  "create route GET shop.example.com/orders/:id of one",
];

test("a dry run shows the plan and changes nothing", async () => {
  const { exit, stdout, stderr } = await apply("--dry-run");
  expect([exit, planOf(stdout)]).toEqual([0, CREATED]);
  expect(stderr).toBe("Nothing was changed: this was a dry run of 8 changes.\n");
  expect((await place.call("GET", "/apps/shop")).status).toBe(404);
});

test("everything is made, and a second time there is nothing to do", async () => {
  const first = await apply();
  expect([first.exit, planOf(first.stdout), first.stderr]).toEqual([0, CREATED, "Done: 8 changes.\n"]);
  const host = { Host: "shop.example.com" };
  expect(await (await fetch(`${place.url}/orders`, { headers: host })).json()).toBe(42);
  expect(await (await fetch(`${place.url}/orders/7`, { headers: { ...host, "X-Key": "a" } })).text()).toBe(
    "7",
  );
  const second = await apply();
  expect(second.exit).toBe(0);
  expect(planOf(second.stdout)).toEqual(CREATED.map((line) => line.replace("create", "unchanged")));
  expect(second.stderr).toBe("Nothing to do.\n");
});

test("only what differs is changed, and what the file does not mention stays", async () => {
  await apply();
  const script = (await (await place.call("GET", "/apps/shop/scripts/orders")).json()) as {
    id: string;
    version: number;
  };
  await place.call("PUT", `/scripts/${script.id}`, { direct_execute: "public" });
  write({
    "orders.rhai": "1",
    "picloud.toml": SHOP.replace("timeout_seconds = 10", "timeout_seconds = 20").replace(
      "requests = 60",
      "requests = 5",
    ),
  });
  const { exit, stdout } = await apply();
  expect(exit).toBe(0);
  expect(planOf(stdout).filter((line) => !line.startsWith("unchanged"))).toEqual([
    "update script orders timeout_seconds,source",
    "update route GET shop.example.com/orders/:id of one rate_limit",
  ]);
  const after = await (await place.call("GET", "/apps/shop/scripts/orders")).json();
  expect(after).toMatchObject({ source: "1", timeout_seconds: 20, direct_execute: "public" });
});

test("what the file does not have is kept, and deleted with --prune", async () => {
  write({ "orders.rhai": "1" });
  await apply();
  write({
    "picloud.toml": SHOP.replace('routes = ["/orders"]', "").replace(/\[scripts\.prices\][\s\S]*/, ""),
  });
  const kept = await apply();
  expect(planOf(kept.stdout)).toEqual([
    "unchanged app shop",
    "unchanged settings shop",
    "unchanged domain shop.example.com",
    "keep route /orders of orders",
    "unchanged script orders",
    "unchanged script one",
    "unchanged route GET shop.example.com/orders/:id of one",
    "keep script prices",
  ]);
  expect(kept.stderr).toBe("Not in picloud.toml, and kept: 2. --prune deletes them.\nNothing to do.\n");
  const dry = await apply("--prune", "--dry-run");
  expect(planOf(dry.stdout)).toContain("delete script prices");
  expect((await place.call("GET", "/apps/shop/scripts/prices")).status).toBe(200);
  expect((await apply("--prune")).exit).toBe(0);
  expect((await place.call("GET", "/apps/shop/scripts/prices")).status).toBe(404);
  expect((await apply("--prune")).stderr).toBe("Nothing to do.\n");
});

test("a module that a script still imports is not deleted; an app of which nothing is left is", async () => {
  await apply();
  write({ "picloud.toml": SHOP.replace(/\[scripts\.prices\][\s\S]*/, "") });
  const refused = await apply("--prune");
  expect([refused.exit, refused.stderr]).toEqual([5, expect.stringContaining("delete script prices")]);
  write({ "picloud.toml": '[app]\nslug = "shop"\n' });
  expect((await apply("--prune")).exit).toBe(0);
  expect(await (await place.call("GET", "/scripts?app=shop")).json()).toEqual([]);
});

test("modules that import each other are deleted with --prune, whatever they are called", async () => {
  await apply();
  write({
    "picloud.toml": `${SHOP}[scripts.a]\nkind = "module"\n[scripts.m]\nkind = "module"\n`,
    "a.rhai": "fn one() { 1 }",
    "m.rhai": 'import "a" as a;\nimport "prices" as p;\nfn two() { a::one() + p::of(1) }',
  });
  expect((await apply()).exit).toBe(0);
  write({ "picloud.toml": '[app]\nslug = "shop"\n' });
  const { exit, stdout, stderr } = await apply("--prune");
  expect([exit, stderr]).toEqual([0, "Done: 7 changes.\n"]);
  expect(planOf(stdout).slice(-3)).toEqual(["delete script m", "delete script a", "delete script prices"]);
});

test("a script that only has a draft becomes live", async () => {
  await apply();
  await place.call("PUT", "/apps/shop/scripts/draft?activate=false", { source: '"drafted"' });
  write({ "picloud.toml": `${SHOP}[scripts.draft]\nroutes = ["/draft"]\n`, "draft.rhai": '"drafted"' });
  const { exit, stdout } = await apply();
  expect([exit, planOf(stdout).filter((line) => !line.startsWith("unchanged"))]).toEqual([
    0,
    ["update script draft live", "create route /draft of draft"],
  ]);
  const answer = await fetch(`${place.url}/draft`, { headers: { Host: "shop.example.com" } });
  expect(await answer.text()).toBe("drafted");
  expect((await apply()).stderr).toBe("Nothing to do.\n");
});

test("what the server writes in another spelling is no difference", async () => {
  write({
    "picloud.toml": SHOP.replace('"shop.example.com"]', '"Shop.Example.com.", "*.Shop.example.com"]').replace(
      "weight = 3",
      'cors_origins = ["HTTPS://Example.com:443"]\noutbound_allow = ["NAS.local:80"]',
    ),
  });
  expect((await apply()).exit).toBe(0);
  expect((await apply("--prune")).stderr).toBe("Nothing to do.\n");
});

test("a route moves from one script to another with --prune", async () => {
  await apply();
  write({
    "picloud.toml": SHOP.replace('routes = ["/orders"]', "").replace(
      "[[scripts.one.routes]]",
      '[[scripts.one.routes]]\npath = "/orders"\n[[scripts.one.routes]]',
    ),
  });
  const refused = await apply();
  expect([refused.exit, refused.stdout]).toEqual([5, ""]);
  expect(refused.stderr).toContain(
    "The route /orders of one collides with /orders of orders, which the server has",
  );
  expect((await apply("--prune")).exit).toBe(0);
  expect((await apply("--prune")).stderr).toBe("Nothing to do.\n");
});

test("everything is checked before anything changes", async () => {
  write({ "orders.rhai": "let x = ;", "one.rhai": "1 +" });
  const { exit, stdout, stderr } = await apply();
  expect([exit, stdout]).toEqual([5, ""]);
  expect(stderr).toStartWith("picloud: Nothing was changed.\n");
  expect(stderr).toContain(`${here()}/orders.rhai:1:9`);
  expect(stderr).toContain(`${here()}/one.rhai:1:`);
  expect((await place.call("GET", "/apps/shop")).status).toBe(404);
});

test.each([
  [
    "a word that means nothing",
    SHOP.replace("timeout_seconds", "timeout"),
    "scripts.orders.timeout is not a setting that exists",
  ],
  [
    "a value of the wrong kind",
    SHOP.replace("timeout_seconds = 10", 'timeout_seconds = "10"'),
    "scripts.orders.timeout_seconds must be a whole number above 0",
  ],
  ["no app", SHOP.replace(/\[app\][^[]*domains.*/, ""), "app is missing"],
  [
    "a path that is none",
    SHOP.replace('["/orders"]', '["orders"]'),
    'a route of orders: The path "orders" does not start with a slash.',
  ],
  [
    "two routes for the same",
    SHOP.replace('["/orders"]', '["/orders", "/orders"]'),
    "claim the same requests",
  ],
  ["a route to a module", `${SHOP}routes = ["/x"]`, "the script prices is a module"],
  [
    "a trigger of a kind that there is not yet",
    `${SHOP}\n[[triggers]]\nkind = "files"\nscript = "orders"\n`,
    "a trigger of orders: There are no triggers of the kind files yet",
  ],
  [
    "a secret in the file",
    `${SHOP}\n[[triggers]]\nkind = "email"\nscript = "orders"\ninbound_secret = "x"\n`,
    "a trigger of orders: a secret does not belong into a file.",
  ],
  [
    "a trigger that is none",
    `${SHOP}\n[[triggers]]\nkind = "kv"\nscript = "prices"\ncollection_glob = "a*"\n`,
    "the script prices is a module; only an endpoint can be called by a trigger.\npicloud.toml: a trigger of prices: collection_glob: expected",
  ],
  [
    "a domain that is none",
    SHOP.replace('"shop.example.com"', '"https://shop.example.com"'),
    'picloud.toml: "https://shop.example.com" is not a domain',
  ],
  [
    "an origin that is none",
    SHOP.replace("weight = 3", 'cors_origins = ["example.com"]'),
    "picloud.toml: cors_origins.0: not acceptable; expected an origin such as",
  ],
  ["no TOML", "[app\n", "picloud.toml:1:5: "],
  [
    "a file that is not there",
    SHOP.replace("lib/prices.rhai", "prices.rhai"),
    "prices.rhai: there is no such file",
  ],
])("a manifest with %s is refused, and says why", async (name, text, said) => {
  write({ "picloud.toml": text });
  const { exit, stdout, stderr } = await apply();
  expect([exit, stdout]).toEqual([name.startsWith("a file") ? 1 : 5, ""]);
  expect(stderr).toContain(said);
  expect((await place.call("GET", "/apps/shop")).status).toBe(404);
});

test("a refusal of the server tells how far it came, and the next apply goes on from there", async () => {
  write({ "picloud.toml": SHOP.replace("timeout_seconds = 10", "timeout_seconds = 99999") });
  const { exit, stderr } = await apply();
  expect(exit).toBe(5);
  expect(stderr).toMatch(/^HTTP 422: .*ceiling.*\nThis was step 5 of 8: create script orders\./);
  write({ "picloud.toml": SHOP });
  const again = await apply();
  expect([again.exit, again.stderr]).toEqual([0, "Done: 4 changes.\n"]);
});

test("without a manifest there is nothing to apply", async () => {
  const { exit, stderr } = await place.run(["apply", join(place.folder, "config")]);
  expect([exit, stderr]).toEqual([2, expect.stringContaining("There is no picloud.toml in ")]);
});

test("the README's example can be applied", async () => {
  const readme = readFileSync(resolve(import.meta.dir, "../../../README.md"), "utf8");
  const example =
    /^ {4}# picloud\.toml\n((?: {4}.*\n|\n)+)/m.exec(readme)?.[1]?.replaceAll(/^ {4}/gm, "") ?? "";
  expect(example).toContain("[app]");
  write({ "picloud.toml": example, "hello.rhai": "1", "greeting.rhai": "fn hello() { 1 }" });
  const { exit, stderr } = await apply();
  expect([exit, stderr]).toEqual([0, expect.stringMatching(/^Done: \d+ changes\.\n$/)]);
  expect((await apply()).stderr).toBe("Nothing to do.\n");
});

test("a trigger for e-mail tells its secret when it is made; what the file can say is that there is none", async () => {
  const trigger = '\n[[triggers]]\nscript = "orders"\nkind = "email"\n';
  const only = async () =>
    ((await (await place.call("GET", "/apps/shop/triggers")).json()) as { id: string; details: object }[])[0];
  write({ "picloud.toml": SHOP + trigger });
  const made = await apply();
  expect(planOf(made.stdout)).toContain("create trigger email for orders");
  expect(made.stderr).toMatch(
    /takes messages at \/api\/v1\/email-inbound\/\S+, signed with the secret [0-9a-f]{64}\./,
  );
  expect(planOf((await apply()).stdout)).toContain("unchanged trigger email for orders");
  expect((await only())?.details).toMatchObject({ has_inbound_secret: true });
  write({ "picloud.toml": `${SHOP}${trigger}inbound_secret = false\n` });
  expect(planOf((await apply()).stdout)).toContain("update trigger email for orders has_inbound_secret");
  expect((await only())?.details).toMatchObject({ has_inbound_secret: false });
  expect(planOf((await apply()).stdout)).toContain("unchanged trigger email for orders");
  await place.call("DELETE", `/apps/shop/triggers/${(await only())?.id}`);
});

test("a trigger that closes a loop is told of", async () => {
  write({
    "picloud.toml": `${SHOP}\n[scripts.loop]\nfile = "loop.rhai"\n\n[[triggers]]\nscript = "loop"\nkind = "kv"\ncollection_glob = "loop"\n`,
    "loop.rhai": 'kv::collection("loop").incr("n")',
  });
  const { exit, stderr } = await apply();
  expect([exit, stderr]).toEqual([
    0,
    expect.stringContaining(
      'trigger kv loop for loop: warning: A loop of triggers, unless a run decides otherwise: script "loop" writes kv "loop"',
    ),
  ]);
  write({
    "picloud.toml": `${SHOP}\n[[triggers]]\nscript = "orders"\nkind = "kv"\ncollection_glob = "none"\n`,
  });
  expect((await apply("--prune")).exit).toBe(0);
  for (const { id } of (await (await place.call("GET", "/apps/shop/triggers")).json()) as { id: string }[])
    await place.call("DELETE", `/apps/shop/triggers/${id}`);
});

test("triggers are made, changed, and deleted with --prune; without a table nothing is said about them", async () => {
  const trigger = (ops: string) =>
    `\n[[triggers]]\nscript = "orders"\nkind = "kv"\ncollection_glob = "orders:*"\nops = ${ops}\n`;
  const triggers = async () => (await place.call("GET", "/apps/shop/triggers")).json();
  write({ "picloud.toml": SHOP + trigger('["insert"]') });
  expect(planOf((await apply()).stdout)).toContain("create trigger kv orders:* for orders");
  expect(planOf((await apply()).stdout)).toContain("unchanged trigger kv orders:* for orders");
  write({ "picloud.toml": SHOP + trigger('["insert", "delete"]') });
  expect(planOf((await apply()).stdout)).toContain("update trigger kv orders:* for orders ops");
  expect(await triggers()).toMatchObject([{ details: { ops: ["insert", "delete"] } }]);
  const whole = `${trigger('["insert", "delete"]')}transactional = true\n`;
  write({ "picloud.toml": SHOP + whole });
  expect(planOf((await apply()).stdout)).toContain("update trigger kv orders:* for orders transactional");
  expect(planOf((await apply()).stdout)).toContain("unchanged trigger kv orders:* for orders");
  expect(await triggers()).toMatchObject([{ transactional: true }]);
  write({ "picloud.toml": SHOP });
  expect((await apply("--prune")).stdout).not.toContain("trigger");
  const other = trigger("[]").replace("orders:*", "other");
  write({ "picloud.toml": SHOP + other });
  expect(planOf((await apply()).stdout)).toContain("keep trigger kv orders:* for orders");
  expect(planOf((await apply("--prune")).stdout)).toContain("delete trigger kv orders:* for orders");
  expect(await triggers()).toMatchObject([{ details: { collection_glob: "other" } }]);
});

test("a cron trigger whose schedule is written in short is made once, and changed when its time is", async () => {
  const trigger = (schedule: string) =>
    `\n[[triggers]]\nscript = "orders"\nkind = "cron"\nschedule = "${schedule}"\ntimezone = "europe/berlin"\n`;
  write({ "picloud.toml": SHOP + trigger("@daily") });
  expect(planOf((await apply("--prune")).stdout)).toContain("create trigger cron @daily for orders");
  expect(planOf((await apply()).stdout)).toContain("unchanged trigger cron @daily for orders");
  write({ "picloud.toml": SHOP + trigger("30 2 * * *") });
  expect(planOf((await apply()).stdout)).toContain("update trigger cron 30 2 * * * for orders schedule");
  expect(await (await place.call("GET", "/apps/shop/triggers")).json()).toMatchObject([
    { details: { schedule: "0 30 2 * * *", timezone: "Europe/Berlin" } },
  ]);
});
