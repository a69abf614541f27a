// Named by bunfig.toml; runs before every test file. It starts nothing: a test that needs Postgres asks for it.
import { afterAll, setDefaultTimeout } from "bun:test";
import { configureLog } from "../../src/shared/log.ts";
import { runAtEnd } from "./at-end.ts";

configureLog("fatal", "pretty");
// A test on a real database takes its time on a Raspberry Pi, or on a machine that runs others beside it.
setDefaultTimeout(30_000);
// In a preload this runs once, after all files.
afterAll(runAtEnd, 60_000);
