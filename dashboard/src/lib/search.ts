import type { Sdk } from "./api.ts";

/** What of the reference has all words of a search, in any order and case. Everything, without one. */
export function search(sdk: Sdk, text: string): Pick<Sdk, "ctx" | "namespaces"> {
  const words = text.toLowerCase().split(/\s+/);
  const has = (...texts: readonly string[]): boolean => {
    const all = texts.join(" ").toLowerCase();
    return words.every((word) => all.includes(word));
  };
  return {
    ctx: sdk.ctx.filter(({ name, doc }) => has(name, doc)),
    namespaces: sdk.namespaces
      .map((namespace) => ({
        ...namespace,
        functions: namespace.functions.filter(({ signature, doc }) => has(namespace.name, signature, doc)),
      }))
      .filter(({ functions }) => functions.length > 0),
  };
}
