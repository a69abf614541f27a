import { CommandError } from "../command-error.ts";

/** Why a server cannot be spoken to, by the code of the failure, and what to do about it. */
const REASONS: Readonly<Record<string, (url: string) => string>> = {
  ECONNREFUSED: () =>
    "nothing listens there. Start it with `picloud serve`, or name another server with --url.",
  ENOTFOUND: (url) => `there is no host "${new URL(url).hostname}". Check the address given with --url.`,
  ECONNRESET: () =>
    "the connection was closed. Is this the right port, and does the server want https:// instead of http://?",
  EPROTO: () => "it does not speak TLS on this port. Try http:// instead of https://.",
  DEPTH_ZERO_SELF_SIGNED_CERT: () => untrusted("its certificate is signed by itself"),
  SELF_SIGNED_CERT_IN_CHAIN: () =>
    untrusted("its certificate comes from an authority that this machine does not know"),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () =>
    untrusted("its certificate comes from an authority that this machine does not know"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () =>
    untrusted("its certificate comes from an authority that this machine does not know"),
  CERT_HAS_EXPIRED: () => "its certificate has expired. Renew it, or check this machine's clock.",
  CERT_NOT_YET_VALID: () => "its certificate is not valid yet. Check this machine's clock.",
  ERR_TLS_CERT_ALTNAME_INVALID: (url) =>
    `its certificate is for another name than ${new URL(url).hostname}. Use the name that it was made for.`,
};

const untrusted = (why: string): string =>
  `${why}. If you trust it, give its authority's certificate in NODE_EXTRA_CA_CERTS=FILE.pem.`;

/** An error of `fetch` in words that help. */
export function notReachable(url: string, error: unknown): CommandError {
  if (!(error instanceof Error)) throw error;
  if (error.name === "TimeoutError") return new CommandError(`${url} did not answer in time.`);
  if (error.name === "AbortError") throw error;
  const code = "code" in error ? String(error.code) : "";
  const reason = REASONS[code]?.(url) ?? `${error.message}`;
  return new CommandError(`Cannot reach ${url}: ${reason}`, undefined, error);
}

/**
 * Every answer of PiCloud carries a request id. For one that does not: asks what this server is.
 * @throws CommandError when it is no PiCloud
 */
export async function refuseStranger(url: string, response: Response): Promise<void> {
  const product = await productOf(url);
  if (product !== null) return;
  throw new CommandError(
    `${url} is not a PiCloud server: it answered ${response.status}` +
      `${response.headers.get("content-type")?.includes("html") === true ? " with a web page" : ""}, and GET ${url}/version ` +
      "does not tell a version. Name another address with --url.",
  );
}

/** The version of the PiCloud at an address; null when it is none. */
async function productOf(url: string): Promise<string | null> {
  try {
    const answer = await fetch(`${url}/version`, { redirect: "manual", signal: AbortSignal.timeout(10_000) });
    const body: unknown = answer.ok ? await answer.json() : null;
    return typeof body === "object" && body !== null && "product" in body && "api" in body
      ? String(body.product)
      : null;
  } catch {
    return null;
  }
}
