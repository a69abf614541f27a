/** What a binary can be built for. */
export const PLATFORMS = ["linux-x64", "linux-arm64", "darwin-arm64"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** This machine. */
export const HOST = `${process.platform}-${process.arch}`;

/** @throws Error that lists the supported platforms */
export function platformOf(text: string): Platform {
  const platform = PLATFORMS.find((name) => name === text);
  if (platform === undefined)
    throw new Error(`"${text}" is not supported. Use one of: ${PLATFORMS.join(", ")}.`);
  return platform;
}
