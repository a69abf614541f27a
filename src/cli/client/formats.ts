/** The forms that output can take. */
export const FORMATS = ["table", "tsv", "json"] as const;
export type Format = (typeof FORMATS)[number];
