import { describe, expect, test } from "bun:test";
import { Gate } from "../../src/orchestrator/gate.ts";
import { systemClock } from "../../src/shared/clock.ts";
import { AppError } from "../../src/shared/errors.ts";
import { waitFor } from "../support/wait.ts";
import { startDataPlane } from "./support/data-plane.ts";

describe("the gate", () => {
  test("lets runs pass at once while there are slots, and one app use all but the reserve", async () => {
    const gate = new Gate(8, systemClock);
    for (let i = 0; i < 6; i++) expect(gate.enter("a")).toBe(0);
    const seventh = gate.enter("a");
    expect(seventh).toBeInstanceOf(Promise);
    expect(gate.enter("b")).toBe(0);
    expect(gate.enter("c")).toBe(0);
    expect(gate.stats()).toEqual({ running: 8, waiting: 1, rejected: 0 });
    gate.leave("a");
    expect(await seventh).toBeGreaterThanOrEqual(0);
  });

  test("a small gate keeps nothing in reserve", () => {
    const gate = new Gate(2, systemClock);
    expect([gate.enter("a"), gate.enter("a")]).toEqual([0, 0]);
  });

  test("the next free slot goes to the app with the fewest runs, then to who waits longest", async () => {
    const gate = new Gate(3, systemClock);
    for (let i = 0; i < 3; i++) gate.enter("greedy");
    const order: string[] = [];
    const wait = (app: string) => Promise.resolve(gate.enter(app)).then(() => void order.push(app));
    const waits = [wait("greedy"), wait("greedy"), wait("modest"), wait("other"), wait("modest")];
    // Two slots come free, then those that were given to modest and other.
    for (let i = 0; i < 3; i++) gate.leave("greedy");
    await Bun.sleep(0);
    expect(order).toEqual(
      ["greedy", "modest", "other"].toSorted((a, b) => order.indexOf(a) - order.indexOf(b)),
    );
    expect(order.slice(0, 2)).toEqual(["modest", "other"]);
    gate.leave("other");
    gate.leave("modest");
    await Promise.all(waits);
    expect(gate.stats()).toMatchObject({ running: 3, waiting: 0 });
  });

  test("an app of three times the weight gets three times the slots", async () => {
    const gate = new Gate(4, systemClock);
    const share = (weight: number) => ({ weight, maxConcurrent: null, maxQueued: 100 });
    for (let i = 0; i < 4; i++) gate.enter("first");
    const got = { heavy: 0, light: 0 };
    const wait = (app: "heavy" | "light", weight: number) =>
      void Promise.resolve(gate.enter(app, share(weight))).then(
        () => got[app]++,
        // Sent away after a second.
        () => {},
      );
    for (let i = 0; i < 8; i++) {
      wait("light", 1);
      wait("heavy", 3);
    }
    for (let i = 0; i < 4; i++) gate.leave("first");
    await Bun.sleep(0);
    expect(got).toEqual({ heavy: 3, light: 1 });
  });

  test("an app's own bounds hold even while slots are free", async () => {
    const gate = new Gate(8, systemClock);
    const share = { weight: 1, maxConcurrent: 2, maxQueued: 1 };
    expect([gate.enter("a", share), gate.enter("a", share)]).toEqual([0, 0]);
    const third = gate.enter("a", share);
    expect(third).toBeInstanceOf(Promise);
    expect(() => gate.enter("a", share)).toThrow("Too many scripts are running");
    gate.leave("a");
    expect(await third).toBeGreaterThanOrEqual(0);
  });

  test("refuses whoever has waited a second, with Retry-After", async () => {
    const gate = new Gate(1, systemClock);
    gate.enter("a");
    const begun = performance.now();
    const refusal = await Promise.resolve(gate.enter("b")).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(AppError);
    expect(refusal).toMatchObject({ status: 503, code: "overloaded", headers: { "Retry-After": "1" } });
    const waited = performance.now() - begun;
    expect(waited).toBeGreaterThan(990);
    expect(waited).toBeLessThan(1100);
    expect(gate.stats()).toEqual({ running: 1, waiting: 0, rejected: 1 });
    gate.leave("a");
    expect(gate.enter("b")).toBe(0);
  });

  test("refuses the 101st of an app at once, and still takes another app's first", () => {
    const gate = new Gate(1, systemClock);
    gate.enter("a");
    for (let i = 0; i < 100; i++) void Promise.resolve(gate.enter("a")).catch(() => {});
    expect(() => gate.enter("a")).toThrow("Too many scripts");
    const other = gate.enter("b");
    expect(other).toBeInstanceOf(Promise);
    void Promise.resolve(other).catch(() => {});
  });
});

describe("under load, through the data plane", () => {
  test("503 with Retry-After when no slot comes free, X-Queue-Ms when one did, the slot back only when the run has ended", async () => {
    // Costs time rather than operations.
    const SLOW = 'let s = ""; s.pad(100_000, "x"); loop { s.to_upper(); }';
    const plane = await startDataPlane({ maxConcurrent: 2 });
    const loop = await plane.deploy("/loop", SLOW, {
      timeoutSeconds: 2,
      sandbox: { max_operations: 1_000_000_000 },
    });
    await plane.deploy("/quick", "1");
    expect((await plane.call("/quick")).status).toBe(200);
    const loops = [plane.call("/loop"), plane.call("/loop")];
    await Bun.sleep(50);
    const begun = performance.now();
    const refused = await plane.call("/quick");
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ code: "overloaded" });
    expect(performance.now() - begun).toBeLessThan(1100);
    await Bun.sleep(300);
    const waited = await plane.call("/quick");
    expect(waited.status).toBe(200);
    expect(Number(waited.headers.get("x-queue-ms"))).toBeGreaterThan(100);
    for (const response of await Promise.all(loops)) {
      expect([504, 507]).toContain(response.status);
    }
    const rows = await plane.logs(loop);
    expect(rows).toHaveLength(2);
    expect(["timeout", "budget_exceeded"]).toContain(rows[0]?.status ?? "");
    // A slot is free when its thread is gone, which may be a moment after the answer.
    await waitFor("the slots are free", () => plane.orchestrator.stats().running === 0);
    await plane.stop();
  }, 15_000);

  test("twenty endless loops of one app, and another app's endpoint keeps answering", async () => {
    const plane = await startDataPlane();
    const victim = await plane.rows.app("victim");
    await plane.rows.domain(victim, "victim.test", "exact");
    await plane.deploy("/loop", "while true {}", {
      timeoutSeconds: 1,
      sandbox: { max_operations: 1_000_000_000 },
    });
    await plane.deploy("/ok", '"ok"', { appId: victim });
    expect(await (await plane.call("victim.test/ok")).text()).toBe("ok");
    const begun = performance.now();
    const attack = Array.from({ length: 20 }, async () => {
      const response = await plane.call("/loop");
      return { status: response.status, at: performance.now() - begun };
    });
    const times: number[] = [];
    while (performance.now() - begun < 900) {
      const asked = performance.now();
      expect((await plane.call("victim.test/ok")).status).toBe(200);
      times.push(performance.now() - asked);
      await Bun.sleep(5);
    }
    times.sort((a, b) => a - b);
    console.log(
      `p95 beside the attack: ${times[Math.floor(times.length * 0.95)]?.toFixed(1)} ms of ${times.length}`,
    );
    expect(times.length).toBeGreaterThan(20);
    for (const { status } of await Promise.all(attack)) expect([504, 507]).toContain(status);
    await plane.stop();
  }, 20_000);

  test("drain lets what runs finish and refuses what comes", async () => {
    const plane = await startDataPlane();
    await plane.deploy("/work", "let i = 0; while i < 300_000 { i += 1; } i");
    const under = plane.call("/work");
    await Bun.sleep(0);
    await Bun.sleep(20);
    const drained = plane.orchestrator.drain(5000);
    expect((await plane.call("/work")).status).toBe(503);
    expect(await (await under).text()).toBe("300000");
    await drained;
    await plane.stop();
  });

  test("a client that goes away does not end its run", async () => {
    const plane = await startDataPlane();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: (request) => plane.orchestrator.handle(request, { remoteAddress: "127.0.0.1" }),
    });
    const script = await plane.deploy("/long", "let i = 0; while i < 400_000 { i += 1; } i");
    const abort = new AbortController();
    const call = fetch(`http://127.0.0.1:${server.port}/long`, { signal: abort.signal }).catch(() => null);
    await Bun.sleep(100);
    abort.abort();
    await call;
    for (let i = 0; i < 100 && (await plane.logs(script)).length === 0; i++) await Bun.sleep(50);
    expect((await plane.logs(script))[0]?.status).toBe("success");
    await server.stop(true);
    await plane.stop();
  }, 15_000);
});
