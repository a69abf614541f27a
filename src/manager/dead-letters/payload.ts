import { looksSecret, maskPairs, NOT_RECORDED } from "../../services/executions/index.ts";

/** What of a stored request is read here; the data plane keeps it. */
interface KeptRequest {
  readonly query: string;
  readonly headers: readonly string[];
  readonly body: { readonly kind: string; readonly base64: string };
}

/**
 * The payload of a dead letter as people see it: the event, or of an asynchronous route the request, of which the
 * execution log would not tell secrets either. Its body is not shown.
 */
export function shownPayload(letter: { readonly source: string; readonly payload: unknown }): unknown {
  if (letter.source !== "http" || !isRequest(letter.payload)) return letter.payload;
  const { query, headers, body, ...rest } = letter.payload;
  return {
    ...rest,
    query: maskPairs(query, () => {}),
    headers: headers.map((text, index) =>
      index % 2 === 1 && looksSecret(headers[index - 1] ?? "") ? NOT_RECORDED : text,
    ),
    body: { kind: body.kind, bytes: Buffer.byteLength(body.base64, "base64") },
  };
}

const isRequest = (payload: unknown): payload is KeptRequest =>
  typeof payload === "object" &&
  payload !== null &&
  "headers" in payload &&
  "query" in payload &&
  "body" in payload;
