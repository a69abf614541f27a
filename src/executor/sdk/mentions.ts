/** The namespaces of sdk/services, by name; here, so that looking for them does not load them. */
export const SERVICE_NAMESPACES: readonly string[] = ["dead_letters", "docs", "kv", "pubsub", "tx"];

const NAMES = new RegExp(`\\b(?:${SERVICE_NAMESPACES.join("|")})\\b`);

/** Whether a source may call a service. Its text decides, and errs on the side of yes: comments and strings count. */
export const mentionsServices = (source: string): boolean => NAMES.test(source);

/** Whether a source may deal with dead letters, for which it matters who runs it. Errs on the side of yes, too. */
export const mentionsLetters = (source: string): boolean => source.includes("dead_letters");

/** Whether it may ask for a transaction, in the same way. */
export const mentionsTransactions = (source: string): boolean => /\btx\b/.test(source);
