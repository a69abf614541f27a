import type { RunBody, RunHttpRequest } from "../executor/index.ts";
import { clientAddress, type TrustedProxies } from "../services/identity/client-address.ts";
import { visibleHeaders } from "./caller.ts";
import type { RequestUrl } from "./request-url.ts";

/** Where a request came from; the address is looked up only when somebody asks. */
export interface RequestOrigin {
  readonly remoteAddress: string;
  /** Told how many seconds the answer may take, so that the connection is kept open for it. */
  mayBeSilentFor?(seconds: number): void;
}

/** What a script may see of a request. Headers and address are read only when the script, or the log, wants them. */
export class HttpRequest implements RunHttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly params: Readonly<Record<string, string>>;
  readonly rest: string;
  readonly body: RunBody;
  readonly #headers: Headers;
  readonly #hidesAuthorization: boolean;
  readonly #origin: RequestOrigin;
  readonly #proxies: TrustedProxies;

  constructor(
    request: Request,
    url: RequestUrl,
    matched: {
      readonly host: string;
      readonly params: Readonly<Record<string, string>>;
      readonly rest: string;
    },
    body: RunBody,
    hidesAuthorization: boolean,
    origin: RequestOrigin,
    proxies: TrustedProxies,
  ) {
    this.method = request.method;
    this.path = url.path;
    this.query = url.query;
    this.host = matched.host;
    this.params = matched.params;
    this.rest = matched.rest;
    this.body = body;
    this.#headers = request.headers;
    this.#hidesAuthorization = hidesAuthorization;
    this.#origin = origin;
    this.#proxies = proxies;
  }

  headers(): readonly string[] {
    return visibleHeaders(this.#headers, this.#hidesAuthorization);
  }

  remoteIp(): string {
    return clientAddress(this.#headers, this.#origin.remoteAddress, this.#proxies);
  }
}
