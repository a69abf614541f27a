import {
  CTX_MEMBERS,
  FREE_MEMBERS,
  REQUEST_MEMBERS,
  type CtxMember,
  type FreeMember,
  type RequestMember,
} from "../../needs.ts";
import type { CtxEntry } from "../../../shared/sdk-reference.ts";

type Said = readonly [type: string, doc: string];

/** One entry for each member that there is: the compiler sees to it. */
const MEMBERS: Readonly<Record<FreeMember | CtxMember, Said>> = {
  sdk_version: ["string", 'What scripts can use, as "major.minor".'],
  execution_id: ["string", "This run, as the execution log lists it."],
  script_id: ["string", "The script."],
  script_name: ["string", "Its name."],
  request_id: ["string", "The request that led to this run; the same when it is tried again."],
  root_execution_id: ["string", "The first run of those that led to this one; this one itself, if none did."],
  invocation_type: ["string", '"http", "function" or "scheduled".'],
  trigger_depth: ["int", "How many triggers led here, one after the other; 0 for a request."],
  attempt: ["int", "1, and more when the same work is tried again."],
  principal: ["map or ()", "Who calls, if they signed in to PiCloud: #{ id, username }."],
  event: ["map", 'What started the run, when a trigger did. Absent otherwise: ask with `"event" in ctx`.'],
};

/** What `ctx.event` has, by the kind of trigger (CONTRACT 3.3). */
const EVENT: Readonly<Record<string, Said>> = {
  source: ["string", "The kind of trigger: kv, docs, cron, pubsub, email or dead_letter."],
  op: [
    "string",
    "What happened: insert, create, update, delete, fire, publish, receive, exhausted; run, by hand.",
  ],
  kv: [
    "map",
    "Of kv: #{ collection, key, value, prev_value }; () for what is not there any more, or was not before.",
  ],
  docs: ["map", "Of docs: #{ collection, id, data, prev_data }; () likewise."],
  cron: [
    "map",
    "Of cron: #{ trigger_id, schedule, timezone, scheduled_at, fired_at, missed, missed_count }.",
  ],
  pubsub: ["map", "Of pubsub: #{ topic, message, published_at }."],
  email: [
    "map",
    "Of email: #{ from, to, cc, subject, text, html, received_at, message_id }; `to` and `cc` are arrays, what the message " +
      "does not have is ().",
  ],
  dead_letter: [
    "map",
    "Of dead_letter: #{ dead_letter_id, original, attempts, last_error, trigger_id, script_id, first_attempt_at, " +
      "last_attempt_at }; `original` is the `ctx.event` that could not be delivered; for an asynchronous route it is #{ source, op, http } with the request.",
  ],
};

const REQUEST: Readonly<Record<RequestMember, Said>> = {
  method: ["string", "GET, POST, …"],
  path: ["string", "As it was received, without the query."],
  host: ["string", "The host that was asked."],
  remote_ip: ["string", "The caller's address, behind proxies that PiCloud trusts."],
  rest: ["string", "What a route's `*` stood for, without a slash before it; else empty."],
  params: ["map", "What the `:name` parts of the route, and of the app's domain, stood for."],
  query: ["map", "The query's parameters, as strings; of repeated names the last one."],
  query_all: ["map", "The same with an array of all values for each name."],
  headers: [
    "map",
    "By name in lower case. Repeated ones are joined with a comma. Credentials for PiCloud itself are taken out.",
  ],
  body: [
    "any",
    "JSON as its value, a form as a map of strings, other text as a string, anything else as a blob; () when it is empty.",
  ],
};

/** The members of `ctx`, those of `ctx.request` last. */
export const ctxEntries: readonly CtxEntry[] = [
  ...[...FREE_MEMBERS, ...CTX_MEMBERS].map((name) => entry(`ctx.${name}`, MEMBERS[name])),
  ...Object.entries(EVENT).map(([name, said]) => entry(`ctx.event.${name}`, said)),
  ...REQUEST_MEMBERS.map((name) => entry(`ctx.request.${name}`, REQUEST[name])),
];

function entry(name: string, [type, doc]: Said): CtxEntry {
  return { name, type, doc };
}
