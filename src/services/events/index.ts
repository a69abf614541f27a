/** What triggers ask to be delivered, and how it went. */
export { backoffMs, type RetryPolicy } from "./backoff.ts";
export { isTopic, publish } from "./topics.ts";
export { insertRequest, type AcceptedRequest } from "./requests.ts";
export {
  bury,
  claim,
  complete,
  completeHandler,
  giveBack,
  msUntilDue,
  postpone,
  releaseClaims,
  renew,
  type Claim,
  type Delivery,
} from "./outbox.ts";
