import { expect, setDefaultTimeout, test } from "bun:test";
import { waitFor } from "../../support/wait.ts";
import { workplace } from "../support/server.ts";

setDefaultTimeout(60_000);

const place = workplace({ "tick.rhai": "ctx.event.cron.scheduled_at" });

test("cron triggers of a server run when they are due, and are rehearsed without being run", async () => {
  const refused = await place.run(["rehearse"]);
  expect([refused.exit, refused.stderr]).toEqual([
    1,
    "picloud: The app default has no enabled cron triggers.\n",
  ]);

  expect((await place.run(["deploy", "tick.rhai"])).exit).toBe(0);
  const tick = (await (await place.call("GET", "/apps/default/scripts/tick")).json()) as {
    readonly id: string;
  };
  const add = (fields: object) =>
    place.call("POST", "/apps/default/triggers/cron", { script_id: tick.id, ...fields });
  const daily = ["--schedule", "0 0 12 * * *", "--timezone", "Asia/Kolkata", "--overlap", "skip"];
  const made = await place.run(["triggers", "add", "cron", "tick", ...daily, "--start-deadline", "60"]);
  expect([made.exit, made.stdout]).toEqual([
    0,
    expect.stringContaining("0 0 12 * * * Asia/Kolkata once skip 60"),
  ]);
  expect((await add({ schedule: "* * * * * *" })).status).toBe(201);

  interface Run {
    readonly trigger_kind: string;
    readonly status: string;
  }
  let runs: readonly Run[] = [];
  await waitFor("it has run each second", async () => {
    const answer = await place.call("GET", "/apps/default/executions?trigger=cron");
    runs = ((await answer.json()) as { readonly items: readonly Run[] }).items;
    return runs.length >= 3;
  });
  expect(runs.every(({ status }) => status === "success")).toBe(true);

  const { exit, stdout } = await place.run(["rehearse", "--days", "3", "--output", "json"]);
  expect(exit).toBe(0);
  const rows = JSON.parse(stdout) as readonly {
    readonly schedule: string;
    readonly script: string;
    readonly first: string;
    readonly runs: string;
  }[];
  const noon = rows.filter(({ schedule }) => schedule === "0 0 12 * * * Asia/Kolkata");
  expect(noon.map(({ first, runs: count, script }) => [first.slice(11), count, script])).toEqual(
    Array.from({ length: 3 }, () => ["06:30:00.000Z", "1", "tick"]),
  );
  expect(rows.filter(({ runs: count }) => count === "over 1500").length).toBeGreaterThanOrEqual(3);
});
