/** Whether a JSON text holds a NUL character, which jsonb cannot. An even number of backslashes before it makes it text. */
export const holdsNul = (json: string): boolean =>
  json.includes("\\u0000") && /(?<!\\)(?:\\\\)*\\u0000/.test(json);
