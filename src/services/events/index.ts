/** What triggers ask to be delivered, and how it went. */
export { acknowledge, extendClaim, transactionStatus, type Attempt } from "./acknowledgement.ts";
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
export { createCompletions, type Completions } from "./completions.ts";
export { dealWithLetter, type LetterManager } from "./letters-by-script.ts";
export { announceEvents, holdEvents, sendEvent } from "./by-hand.ts";
export {
  bury,
  claim,
  complete,
  completeHandler,
  giveBack,
  postpone,
  releaseClaims,
  releaseLostClaims,
  renew,
  sweep,
  unblock,
  unblockAll,
  unblockNext,
  type Claim,
  type Claimed,
  type Delivery,
} from "./outbox.ts";
