import { usageError } from "../command-error.ts";

/** Where `picloud serve` listens when nothing is said. */
export const DEFAULT_URL = "http://127.0.0.1:8080";

/**
 * The origin of a server from what people type: `pi:8080`, `http://pi:8080/`, the dashboard's address.
 * @throws CommandError (usage)
 */
export function serverUrl(text: string): string {
  const trimmed = text.trim();
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  const url = URL.canParse(full) ? new URL(full) : null;
  if (url === null || !["http:", "https:"].includes(url.protocol) || trimmed === "") {
    throw usageError(`"${trimmed}" is not the address of a server, such as ${DEFAULT_URL}.`);
  }
  if (url.username !== "" || url.password !== "") {
    throw usageError("Leave username and password out of the URL; `picloud login` asks for them.");
  }
  return url.origin;
}
