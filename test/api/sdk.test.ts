import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { sdkReference } from "../../src/executor/sdk/reference/index.ts";
import { startControlPlane, type ControlPlane } from "../manager/support/control-plane.ts";

setDefaultTimeout(60_000);

let plane: ControlPlane;
beforeAll(async () => {
  plane = await startControlPlane();
});
afterAll(() => plane.stop());

test("tells anybody who signed in what scripts can use", async () => {
  for (const actor of ["outsider", "readKey", "owner"] as const) {
    const { status, json } = await plane.call(actor, "GET", "/sdk");
    expect(status).toBe(200);
    expect(json).toEqual(sdkReference());
  }
  expect((await plane.call("guest", "GET", "/sdk")).status).toBe(401);
});
