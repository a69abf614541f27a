// Named by bunfig.toml; runs before every test file. It starts nothing: a test that needs Postgres asks for it.
import { configureLog } from "../../src/shared/log.ts";

configureLog("fatal", "pretty");
