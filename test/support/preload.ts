// Named by bunfig.toml; runs before every test file. It starts nothing: a test that needs Postgres asks for it.
import { afterAll } from "bun:test";
import { configureLog } from "../../src/shared/log.ts";
import { runAtEnd } from "./at-end.ts";

configureLog("fatal", "pretty");
// In a preload this runs once, after all files.
afterAll(runAtEnd);
