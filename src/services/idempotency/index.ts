/** Requests that may be sent again without being carried out again. */
export {
  createIdempotency,
  MAX_KEY_LENGTH,
  type Idempotency,
  type IdempotentRequest,
  type KeepAnswer,
} from "./service.ts";
export type { KeyedRequest } from "./queries.ts";
