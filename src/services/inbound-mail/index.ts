/** E-mail that is posted to triggers: who may, what a message is, and that each is delivered once. */
export { InboundMessage, readMessage, type Email } from "./message.ts";
export { deleteOldReceipts, findMailbox, type Mailbox, type Receipt } from "./queries.ts";
export { receive, secretOf } from "./receive.ts";
export { newInboundSecret, sealInboundSecret, type MailDetails } from "./secret.ts";
export { readClaim, SIGNATURE_HEADER, TIMESTAMP_HEADER, verify, type Claim } from "./signature.ts";
