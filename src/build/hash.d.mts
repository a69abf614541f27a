/** See hash.mjs, which is plain JavaScript because it runs before there is Bun. */
export function hashFiles(root: string, paths: readonly string[], salt: string): string;
