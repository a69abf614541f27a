/** The worker, in which `sinh` of 12345 and a bit does not come back: a stand-in for a native that looks at no clock. */
import "./stuck-sinh.ts";
import "../../../src/executor/worker.ts";
