/** What triggers ask to be delivered, and how it went. */
export { backoffMs, DEFAULT_JITTER, type RetryPolicy } from "./backoff.ts";
export { isTopic, publish } from "./topics.ts";
export { insertRequest, type AcceptedRequest } from "./requests.ts";
export { deadLetterFigures, droppedFigures, outboxFigures } from "./figures.ts";
export {
  countLetters,
  deleteOldLetters,
  findLetter,
  lettersOf,
  lockLetter,
  replayLetters,
  resolveLetter,
  RESOLUTIONS,
  type Letter,
  type LetterFilter,
  type Resolution,
} from "./dead-letters.ts";
export { announceEvents, holdEvents, sendEvent } from "./by-hand.ts";
export {
  bury,
  claim,
  complete,
  completeHandler,
  giveBack,
  msUntilDue,
  postpone,
  releaseClaims,
  releaseLostClaims,
  renew,
  type Claim,
  type Delivery,
} from "./outbox.ts";
