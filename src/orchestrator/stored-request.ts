import type { RunBody, RunHttpRequest } from "../executor/index.ts";
import type { Principal } from "../shared/principal.ts";

/** A request as it waits in the outbox: all that its script may look at. */
export interface StoredRequest {
  readonly request_id: string;
  /** The API key that it was sent with. */
  readonly key_id?: string;
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly query: string;
  readonly params: Readonly<Record<string, string>>;
  readonly rest: string;
  readonly remote_ip: string;
  /** Name and value by turns. */
  readonly headers: readonly string[];
  /** As base64, since jsonb cannot hold every text. */
  readonly body: { readonly kind: RunBody["kind"]; readonly base64: string };
}

export const storedRequest = (
  request: RunHttpRequest,
  requestId: string,
  principal: Principal | null,
): StoredRequest => ({
  request_id: requestId,
  ...(principal !== null && principal.key !== null && { key_id: principal.key.id }),
  method: request.method,
  host: request.host,
  path: request.path,
  query: request.query,
  params: request.params,
  rest: request.rest,
  remote_ip: request.remoteIp(),
  headers: request.headers(),
  body: storedBody(request.body),
});

function storedBody(body: RunBody): StoredRequest["body"] {
  if (body.kind === "none") return { kind: "none", base64: "" };
  const bytes = body.kind === "bytes" ? Buffer.from(body.bytes) : Buffer.from(body.text, "utf8");
  return { kind: body.kind, base64: bytes.toString("base64") };
}

/** The request that was stored. */
export function restoredRequest(stored: StoredRequest): RunHttpRequest {
  const { kind, base64 } = stored.body;
  const bytes = Buffer.from(base64, "base64");
  return {
    method: stored.method,
    host: stored.host,
    path: stored.path,
    query: stored.query,
    params: stored.params,
    rest: stored.rest,
    remoteIp: () => stored.remote_ip,
    headers: () => stored.headers,
    body:
      kind === "none"
        ? { kind }
        : kind === "bytes"
          ? { kind, bytes }
          : { kind, text: bytes.toString("utf8") },
  };
}

/** What an API key allows is looked up when somebody asks for more than all may. */
export const storedKey = ({ key_id: id }: StoredRequest): Principal["key"] =>
  id === undefined ? null : { id, scopes: [], appId: null };
