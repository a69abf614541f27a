import { createHmac } from "node:crypto";

/** What e-mail in tests is signed with. */
export const SECRET = "a secret of the sender";

export interface Signing {
  readonly secret?: string;
  /** Milliseconds since 1970; default: now. */
  readonly at?: number;
  /** As it is sent; default: seconds. */
  readonly timestamp?: string;
  /** Default: the body alone. */
  readonly signs?: "body" | "timestamp and body";
}

/** The headers of a signed request. */
export function signed(body: string | Uint8Array, signing: Signing = {}): Record<string, string> {
  const timestamp = signing.timestamp ?? String(Math.floor((signing.at ?? Date.now()) / 1000));
  const hmac = createHmac("sha256", signing.secret ?? SECRET);
  if (signing.signs === "timestamp and body") hmac.update(`${timestamp}.`);
  return {
    "x-picloud-signature": `sha256=${hmac.update(body).digest("hex")}`,
    "x-picloud-timestamp": timestamp,
  };
}

let messages = 0;
/** A message that is like no other. */
export const message = (over: Readonly<Record<string, unknown>> = {}): string =>
  JSON.stringify({
    from: "ada@example.com",
    to: ["orders@pi.example"],
    subject: "An order",
    text: "Two, please.",
    message_id: `<${++messages}@example.com>`,
    ...over,
  });
