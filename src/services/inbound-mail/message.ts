import { Type, type Static, type TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { invalid } from "../../shared/errors.ts";
import { parseInstant } from "../../shared/instant.ts";

const Address = Type.String({ minLength: 1, description: "an address" });
const Addresses = Type.Union([Address, Type.Array(Address)], {
  description: "an address, or a list of addresses",
});
const optional = <S extends TSchema>(schema: S) =>
  Type.Optional(Type.Union([schema, Type.Null()], { description: schema.description ?? "" }));
const Text = Type.String({ description: "text" });

/** A message as it is posted. */
export const InboundMessage = Type.Object(
  {
    from: Type.String({ minLength: 1, description: "the address of the sender" }),
    to: Addresses,
    cc: optional(Addresses),
    subject: optional(Text),
    text: optional(Text),
    html: optional(Text),
    received_at: optional(
      Type.String({ description: "a time as RFC 3339, such as 2026-11-21T09:30:00Z; default: now" }),
    ),
    message_id: optional(
      Type.String({ description: "the Message-ID; one that came within 24 hours is not delivered again" }),
    ),
  },
  { additionalProperties: false },
);

/** A message as its script gets it, in `ctx.event.email` (CONTRACT 3.3). */
export interface Email {
  readonly from: string;
  readonly to: readonly string[];
  readonly cc: readonly string[];
  readonly subject: string | null;
  readonly text: string | null;
  readonly html: string | null;
  readonly received_at: string;
  readonly message_id: string | null;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Reads a posted message.
 * @param now for those that do not say when they were received
 * @throws AppError 422 `malformed_json`, `validation`, `invalid_text`
 */
export function readMessage(body: Uint8Array, now: Date): Email {
  const message = parsed(body);
  if (!Value.Check(InboundMessage, message)) throw wrongShape(message);
  const { from, to, cc, subject = null, text = null, html = null, received_at, message_id } = message;
  if (typeof received_at === "string" && parseInstant(received_at) === null) {
    throw invalid("validation", "received_at: expected a time as RFC 3339, such as 2026-11-21T09:30:00Z.", {
      details: { field: "received_at" },
    });
  }
  const email: Email = {
    from,
    to: listed(to),
    cc: listed(cc),
    subject,
    text,
    html,
    received_at: received_at ?? now.toISOString(),
    message_id: message_id || null,
  };
  for (const [field, value] of Object.entries(email)) checkText(field, [value].flat());
  return email;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch (cause) {
    const why =
      body.length === 0
        ? "it is empty"
        : cause instanceof SyntaxError
          ? "it does not parse"
          : "it is not UTF-8";
    throw invalid("malformed_json", `The body is not JSON: ${why}.`);
  }
}

/** What is wrong first; values are not repeated. */
function wrongShape(message: unknown) {
  const error = Value.Errors(InboundMessage, message).First();
  const field = error?.path.slice(1).replaceAll("/", ".") || "body";
  if (error?.message === "Unexpected property") {
    const known = Object.keys(InboundMessage.properties).join(", ");
    return invalid("validation", `${field.slice(0, 100)}: unknown field; expected one of ${known}.`, {
      details: { field },
    });
  }
  const problem = error?.value === undefined ? "missing" : "not acceptable";
  const expected = error?.schema.description ?? "an object";
  return invalid("validation", `${field}: ${problem}; expected ${expected}.`, { details: { field } });
}

/** Postgres stores no NUL and no half of a surrogate pair. */
function checkText(field: string, values: readonly unknown[]): void {
  for (const value of values) {
    if (typeof value !== "string" || (!value.includes("\0") && value.isWellFormed())) continue;
    const problem = value.includes("\0") ? "a NUL character" : "half of a surrogate pair";
    throw invalid("invalid_text", `${field} holds ${problem}; such text cannot be stored.`, {
      details: { field },
    });
  }
}

const listed = (addresses: Static<typeof Addresses> | null | undefined): readonly string[] =>
  typeof addresses === "string" ? [addresses] : (addresses ?? []);
