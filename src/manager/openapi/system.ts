import { Type } from "@sinclair/typebox";
import { InboundMessage, SIGNATURE_HEADER, TIMESTAMP_HEADER } from "../../services/inbound-mail/index.ts";
import { strict } from "../http/module.ts";
import { problem, type Operation, type Parameter } from "./operations.ts";
import { portable, type JsonSchema } from "./schema.ts";

const Version = strict({
  product: Type.String(),
  sdk: Type.String(),
  api: Type.Integer(),
  wire: Type.Integer(),
  schema: Type.Integer(),
  public_base_url: Type.String(),
});

const ANYTHING: JsonSchema = {};
const TEXT: JsonSchema = { type: "string" };

const answer = (description: string, type: string, schema: JsonSchema) => ({
  "200": { description, content: { [type]: { schema } } },
});

const open = (
  operationId: string,
  tag: string,
  summary: string,
  responses: Operation["responses"],
): { readonly get: Operation } => ({ get: { operationId, summary, tags: [tag], security: [], responses } });

const id = (name: string, description: string): Parameter => ({
  name,
  in: "path",
  required: true,
  description,
  schema: { type: "string", format: "uuid" },
});
const header = (name: string, description: string): Parameter => ({
  name,
  in: "header",
  required: false,
  description,
  schema: { type: "string" },
});

const MailAccepted = strict({
  accepted_at: Type.String(),
  /** Of the run that the message causes, or has caused. */
  execution_id: Type.String(),
  /** It came before, and is not delivered again. */
  duplicate: Type.Boolean(),
});

const problemsOf = (...statuses: readonly number[]): Operation["responses"] =>
  Object.fromEntries(statuses.map((status) => [status, problem(status)]));

/** What is answered outside the control plane. */
export const SYSTEM_PATHS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = {
  "/healthz": open(
    "getHealthz",
    "system",
    "Whether the process answers",
    answer("It does.", "text/plain", TEXT),
  ),
  "/readyz": open("getReadyz", "system", "Whether requests can be served, the database included", {
    ...answer("They can.", "text/plain", TEXT),
    "503": problem(503),
  }),
  "/version": open(
    "getVersion",
    "system",
    "Release and versions of the surfaces",
    answer("OK", "application/json", portable(Version)),
  ),
  "/metrics": {
    get: {
      operationId: "getMetrics",
      summary: "Metrics in the text format of Prometheus",
      description: "Needs the token of `PICLOUD_METRICS_TOKEN`; without one, a caller on the same machine.",
      tags: ["system"],
      security: [{ metrics: [] }, {}],
      responses: {
        ...answer("OK", "text/plain", TEXT),
        "401": problem(401),
        "403": problem(403),
        "405": problem(405),
      },
    },
  },
  "/api/v1/openapi.json": open(
    "getOpenapi",
    "system",
    "This document",
    answer("OK", "application/json", { type: "object" }),
  ),
  "/api/v1/docs": open("getDocs", "system", "This document as a page", answer("OK", "text/html", TEXT)),
  "/api/v1/execute/{script_id}": {
    post: {
      operationId: "executeScript",
      summary: "Runs a script directly",
      description:
        "The body is `ctx.request.body`; status, headers and body of the answer are the script's. Without a credential " +
        "only scripts whose `direct_execute` is `public` can be run; others need a role in the app.",
      tags: ["executions"],
      security: [{ bearer: ["script:read"] }, { basic: [] }, { cookie: [] }, {}],
      parameters: [id("script_id", "The id of a script.")],
      requestBody: {
        required: false,
        content: {
          "application/json": { schema: ANYTHING },
          "text/plain": { schema: TEXT },
          "*/*": { schema: ANYTHING },
        },
      },
      responses: {
        "200": {
          description: "What the script answered; it may choose any status.",
          headers: {
            "X-Execution-Id": { description: "Names this run.", schema: { type: "string", format: "uuid" } },
          },
          content: { "*/*": { schema: ANYTHING } },
        },
        ...problemsOf(400, 404, 405, 409, 413, 422, 429, 500, 502, 503, 504, 507),
      },
    },
  },
  "/api/v1/email-inbound/{app_id}/{trigger_id}": {
    post: {
      operationId: "postEmail",
      summary: "Delivers a message to a trigger for e-mail",
      description:
        "Needs no credential but a signature, unless the trigger has no secret: the HMAC-SHA256, under the trigger's secret, of " +
        "the body as it is sent, or of the timestamp, a dot and the body. At most 25 MB, and 60 requests a minute. A message " +
        "whose Message-ID or signature came within 24 hours is accepted and not delivered again.",
      tags: ["triggers"],
      security: [],
      parameters: [
        id("app_id", "The id of an app."),
        id("trigger_id", "The id of a trigger of that app, of the kind email."),
        header(SIGNATURE_HEADER, "`sha256=` and 64 hexadecimal digits."),
        header(
          TIMESTAMP_HEADER,
          "Seconds since 1970, or RFC 3339; at most 5 minutes from the server's time.",
        ),
      ],
      requestBody: { required: true, content: { "application/json": { schema: portable(InboundMessage) } } },
      responses: {
        "202": {
          description: "Accepted",
          content: { "application/json": { schema: portable(MailAccepted) } },
        },
        ...problemsOf(401, 404, 405, 413, 422, 429, 500, 503),
      },
    },
  },
};
