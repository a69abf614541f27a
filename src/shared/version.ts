import manifest from "../../package.json" with { type: "json" };

/** The surfaces that are versioned separately. */
export const VERSIONS = {
  /** The release. */
  product: manifest.version,
  /** What scripts see (`ctx.sdk_version`). */
  sdk: "1.9",
  /** The HTTP API. */
  api: 1,
  /** Node-to-node. */
  wire: 1,
} as const;
