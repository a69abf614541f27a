/** `npm run chaos [-- --seed N --kills N]`: the chaos test of test/chaos, on a binary of these sources. */
import { compile } from "./compile.ts";
import { HOST, platformOf } from "./platform.ts";

await compile(platformOf(HOST));
await import("../../test/chaos/index.ts");
