/** Whether a click can open an address: it has neither parameters nor wildcards. */
export const opens = (url: string): boolean => /^https?:\/\/[^/*{]+(\/[^:*]*)?$/.test(url);
