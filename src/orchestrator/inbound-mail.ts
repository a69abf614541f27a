import type { Queryable } from "../database/client.ts";
import {
  findMailbox,
  readClaim,
  readMessage,
  receive,
  secretOf,
  verify,
  type Mailbox,
} from "../services/inbound-mail/index.ts";
import type { Keyring } from "../services/secrets/index.ts";
import type { Clock } from "../shared/clock.ts";
import { AppError, notFound, unavailable } from "../shared/errors.ts";
import { isUuid } from "../shared/ids.ts";
import type { RateLimits } from "./rate-limits.ts";
import { readBytes } from "./request-body.ts";
import type { RequestUrl } from "./request-url.ts";

/** Where e-mail is posted: `{app_id}/{trigger_id}` below it (CONTRACT 2.11). */
export const EMAIL_INBOUND = "/api/v1/email-inbound/";

/** CONTRACT 2.11: as large as what is sent. */
const MAX_BYTES = 25 * 1024 * 1024;
/** CONTRACT 14.5. */
const RATE = { requests: 60, windowSeconds: 60 };
/** Of large bodies that are held at the same time: whoever knows a path may send as much as they like. */
const MAX_BYTES_AT_ONCE = 4 * MAX_BYTES;
/** Bodies up to this size always find room, so that nobody can keep usual mail out with large ones. */
const SMALL_BYTES = 1024 * 1024;

export interface InboundMailOptions {
  readonly db: Queryable;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly limits: RateLimits;
  /** Told that a message waits to be delivered. */
  readonly onAccepted?: () => void;
}

/** Takes e-mail to the triggers that it is posted to. @param address of the client */
export type InboundMail = (
  request: Request,
  url: RequestUrl,
  requestId: string,
  address: () => string,
) => Promise<Response>;

export function createInboundMail(options: InboundMailOptions): InboundMail {
  const { db, keyring, clock, limits } = options;
  let bytesAtOnce = 0;

  /** Does something with a body, as long as there is room for it. @throws AppError 413, 503 `busy` */
  async function withBody<T>(request: Request, work: (body: Uint8Array) => Promise<T>): Promise<T> {
    const announced = Number(request.headers.get("content-length") ?? MAX_BYTES);
    const room = announced <= SMALL_BYTES ? 0 : Math.min(announced, MAX_BYTES);
    if (bytesAtOnce + room > MAX_BYTES_AT_ONCE)
      throw unavailable("busy", "Too much e-mail is coming in at this moment.");
    bytesAtOnce += room;
    try {
      return await work(await readBytes(request, MAX_BYTES));
    } finally {
      bytesAtOnce -= room;
    }
  }

  /**
   * Does something with the body of a request that may be delivered, and with its signature (null: the trigger asks for none).
   * @throws AppError 401; 429 for an address that has caused too many of those, which use up nothing of the trigger's rate
   */
  async function checked<T>(
    request: Request,
    mailbox: Mailbox,
    address: () => string,
    work: (body: Uint8Array, signature: Uint8Array | null) => Promise<T>,
  ): Promise<T> {
    const secret = secretOf(keyring, mailbox);
    if (secret === null) return withBody(request, (body) => work(body, null));
    const unlessTooMany = <R>(check: () => R): R => {
      try {
        return check();
      } catch (error) {
        limits.take(`refused mail ${mailbox.triggerId} ${address()}`, RATE);
        throw error;
      }
    };
    const claim = unlessTooMany(() => readClaim(request.headers, clock.now()));
    return withBody(request, (body) => {
      unlessTooMany(() => verify(secret, body, claim));
      return work(body, claim.signature);
    });
  }

  return async (request, url, requestId, address) => {
    if (request.method !== "POST") {
      throw new AppError(405, "method_not_allowed", "E-mail is posted here.", { headers: { Allow: "POST" } });
    }
    const mailbox = await mailboxAt(db, url.path);
    return checked(request, mailbox, address, async (body, signature) => {
      const rate = limits.take(`mail ${mailbox.triggerId}`, RATE);
      const receipt = await receive(db, mailbox, readMessage(body, new Date(clock.now())), signature);
      if (receipt === undefined) throw noMailbox();
      if (!receipt.isDuplicate) options.onAccepted?.();
      return Response.json(
        {
          accepted_at: receipt.acceptedAt.toISOString(),
          execution_id: receipt.id,
          duplicate: receipt.isDuplicate,
        },
        { status: 202, headers: { ...rate, "X-Request-Id": requestId, "X-Execution-Id": receipt.id } },
      );
    });
  };
}

/** @throws AppError 404 whatever the reason */
async function mailboxAt(db: Queryable, path: string): Promise<Mailbox> {
  const [appId = "", triggerId = "", ...rest] = path.slice(EMAIL_INBOUND.length).toLowerCase().split("/");
  const isPath = isUuid(appId) && isUuid(triggerId) && rest.length === 0;
  const mailbox = isPath ? await findMailbox(db, appId, triggerId) : undefined;
  if (mailbox === undefined) throw noMailbox();
  return mailbox;
}

const noMailbox = (): AppError => notFound("Trigger");
