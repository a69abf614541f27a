import { describe, expect, test } from "bun:test";
import { loadConfig } from "../src/config.ts";

const config = (environment: Record<string, string>) => loadConfig({}, environment, false);

describe("what becomes of failed deliveries", () => {
  test("is three attempts with waits that double, if nothing is set", () => {
    const { triggerRetry, triggerRetryJitter, warnings } = config({});
    expect(triggerRetry).toEqual({ maxAttempts: 3, backoff: "exponential", baseMs: 1000 });
    expect(triggerRetryJitter).toBe(0.2);
    expect(warnings).toEqual([]);
  });

  test("is what PICLOUD_TRIGGER_RETRY_* say", () => {
    const { triggerRetry, triggerRetryJitter, warnings } = config({
      PICLOUD_TRIGGER_RETRY_MAX_ATTEMPTS: "7",
      PICLOUD_TRIGGER_RETRY_BACKOFF: "constant",
      PICLOUD_TRIGGER_RETRY_BASE_MS: "250",
      PICLOUD_TRIGGER_RETRY_JITTER_PCT: "0",
    });
    expect(triggerRetry).toEqual({ maxAttempts: 7, backoff: "constant", baseMs: 250 });
    expect(triggerRetryJitter).toBe(0);
    expect(warnings).toEqual([]);
  });

  test("must be something that a trigger can have; else the start is refused, and says what is", () => {
    for (const [name, value, message] of [
      ["MAX_ATTEMPTS", "0", '"0" is not a whole number from 1 to 100.'],
      ["MAX_ATTEMPTS", "101", '"101" is not a whole number from 1 to 100.'],
      ["BACKOFF", "fibonacci", '"fibonacci" is not one of exponential, linear, constant.'],
      ["BASE_MS", "1s", '"1s" is not a whole number from 1 to 3600000.'],
      ["BASE_MS", "0.5", '"0.5" is not a whole number from 1 to 3600000.'],
      ["JITTER_PCT", "101", '"101" is not a whole number from 0 to 100.'],
      ["JITTER_PCT", "-1", '"-1" is not a whole number from 0 to 100.'],
    ] as const) {
      const variable = `PICLOUD_TRIGGER_RETRY_${name}`;
      expect(() => config({ [variable]: value })).toThrow(`${variable}: ${message}`);
    }
  });
});

test("the tick of the original's cron is ignored, with a warning; so is what nobody knows", () => {
  expect(config({ PICLOUD_CRON_TICK_INTERVAL_MS: "30000" }).warnings).toEqual([
    "PICLOUD_CRON_TICK_INTERVAL_MS is ignored: nothing polls: cron jobs fire when they are due",
  ]);
  expect(config({ PICLOUD_NO_SUCH_THING: "1" }).warnings).toEqual([
    "PICLOUD_NO_SUCH_THING is not a setting of PiCloud",
  ]);
});
