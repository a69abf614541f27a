import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { ApiError, problemOf } from "./api-error.ts";
import { notReachable, refuseStranger } from "./not-picloud.ts";

/** A request may take this long; the server itself gives up after 40 s. */
const TIMEOUT_MS = 60_000;
const MAX_REDIRECTS = 5;

export interface SendOptions {
  /** JSON of it is the body. */
  readonly json?: unknown;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds; null: as long as it takes. Default 60,000. */
  readonly timeoutMs?: number | null;
  readonly signal?: AbortSignal;
}

/** A server and the right to use it. Paths are below /api/v1/admin, made with `path`. */
export interface Api {
  /** Origin of the server. */
  readonly url: string;
  /** JSON of the answer; undefined for 204. @throws ApiError */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, json?: unknown): Promise<T>;
  put<T>(path: string, options: SendOptions): Promise<T>;
  patch<T>(path: string, json: unknown): Promise<T>;
  remove(path: string): Promise<void>;
  /** A successful answer as it comes. @param path with its whole way from the root @throws ApiError */
  send(method: string, path: string, options?: SendOptions): Promise<Response>;
  /** Any answer of this server, also one that is no success. */
  exchange(method: string, path: string, options?: SendOptions): Promise<Response>;
}

/** `path\`/apps/${app}\``: what is filled in becomes one segment, or one value of a query. */
export const path = (texts: TemplateStringsArray, ...values: readonly (string | number)[]): string =>
  texts.reduce((whole, text, index) => `${whole}${encodeURIComponent(values[index - 1] ?? "")}${text}`);

export const ADMIN = "/api/v1/admin";

/** @param token null: nobody */
export function createApi(url: string, token: string | null): Api {
  const exchange: Api["exchange"] = async (method, target, options = {}) => {
    const headers = new Headers(options.headers);
    if (token !== null) headers.set("Authorization", `Bearer ${token}`);
    if (options.json !== undefined) headers.set("Content-Type", "application/json");
    const body = options.json === undefined ? options.body : JSON.stringify(options.json);
    let address = url + target;
    for (let hops = 0; ; hops++) {
      const response = await reach(url, address, {
        method,
        headers,
        signal: signalOf(options),
        // Followed by hand: the token must not go to another host.
        redirect: "manual",
        ...(body !== undefined && { body }),
      });
      const next = target.startsWith(ADMIN) ? redirectOf(response, address) : null;
      if (next === null) {
        if (!response.headers.has("x-request-id")) await refuseStranger(url, response);
        return response;
      }
      if (next.origin !== url || hops === MAX_REDIRECTS) {
        throw new CommandError(
          `${url} redirects to ${next.origin}. If that is the server that you mean: picloud login --url ${next.origin}`,
        );
      }
      address = next.href;
    }
  };

  const send: Api["send"] = async (method, target, options) => {
    const response = await exchange(method, target, options);
    if (response.ok) return response;
    const hint =
      response.status === 401 && token !== null ? `\nSign in with \`picloud login --url ${url}\`.` : "";
    throw new ApiError(response.status, problemOf(response, await response.text()), hint);
  };

  const json = async <T>(method: string, target: string, options?: SendOptions): Promise<T> => {
    const response = await send(method, ADMIN + target, options);
    if (response.status === 204) return undefined as T;
    const text = await response.text();
    try {
      return JSON.parse(text) as T;
    } catch (cause) {
      throw new CommandError(`${url} gave an answer that is not JSON.`, EXIT.failure, cause);
    }
  };

  return {
    url,
    get: (target) => json("GET", target),
    post: (target, body) => json("POST", target, body === undefined ? {} : { json: body }),
    put: (target, options) => json("PUT", target, options),
    patch: (target, body) => json("PATCH", target, { json: body }),
    remove: (target) => json("DELETE", target),
    send,
    exchange,
  };
}

async function reach(url: string, address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(address, init);
  } catch (error) {
    throw notReachable(url, error);
  }
}

function signalOf({ timeoutMs = TIMEOUT_MS, signal }: SendOptions): AbortSignal | null {
  const signals = [
    ...(timeoutMs === null ? [] : [AbortSignal.timeout(timeoutMs)]),
    ...(signal === undefined ? [] : [signal]),
  ];
  return signals.length === 0 ? null : AbortSignal.any(signals);
}

function redirectOf(response: Response, address: string): URL | null {
  const location = response.headers.get("location");
  if (response.status < 300 || response.status > 399 || location === null) return null;
  return URL.canParse(location, address) ? new URL(location, address) : null;
}
