/** The namespaces of sdk/services, by name; here, so that looking for them does not load them. */
export const SERVICE_NAMESPACES: readonly string[] = ["docs", "kv", "pubsub", "tx"];

const NAMES = new RegExp(`\\b(?:${SERVICE_NAMESPACES.join("|")})\\b`);

/** Whether a source may call a service. Its text decides, and errs on the side of yes: comments and strings count. */
export const mentionsServices = (source: string): boolean => NAMES.test(source);
