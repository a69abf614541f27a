/** `npm run bench [-- NAME…]`: the benchmarks of test/bench, on a binary of these sources where they start one. */
import { compile } from "./compile.ts";
import { HOST, platformOf } from "./platform.ts";

const { size } = await compile(platformOf(HOST));
console.log(`binary: ${(size / 1e6).toFixed(1)} MB`);
await import("../../test/bench/index.ts");
