import { unauthorized } from "../../shared/errors.ts";
import type { Principal } from "../../shared/principal.ts";
import type { Actor } from "../../services/audit/index.ts";
import type { Authentication } from "../../services/identity/index.ts";

/** Where a request came from, before any proxy is looked at. */
export interface Connection {
  readonly remoteAddress: string;
  /** The answer may take so many seconds. */
  mayBeSilentFor(seconds: number): void;
}

/** What is known of a request before any endpoint sees it. */
export interface Caller {
  readonly requestId: string;
  /** The client's address, behind trusted proxies. */
  readonly address: string;
  /** The connection itself, for those who run scripts. */
  readonly connection: Connection;
  /** `http://host:port` as the client addressed us, without a slash at the end. */
  readonly origin: string;
  /** Whether the client speaks TLS. */
  readonly secure: boolean;
  /** Null on the few endpoints that need no credential. */
  readonly authentication: Authentication | null;
}

// Elysia hands the very same Request object on, so nothing has to travel through its context.
const callers = new WeakMap<Request, Caller>();

export const setCaller = (request: Request, caller: Caller): void => void callers.set(request, caller);

export function callerOf(request: Request): Caller {
  const caller = callers.get(request);
  if (caller === undefined) throw new Error("the request did not come through the manager");
  return caller;
}

/** Who calls. @throws AppError 401 */
export function principalOf(request: Request): Principal {
  const { authentication } = callerOf(request);
  if (authentication === null) throw unauthorized();
  return authentication.principal;
}

/** Who calls, as the audit log names them; for everything that changes something. @throws AppError 401 */
export function actorOf(request: Request): Actor {
  const { requestId, address } = callerOf(request);
  return { ...principalOf(request), requestId, address };
}
