import { Type } from "@sinclair/typebox";
import { isTopic } from "../../../services/events/index.ts";
import { invalid } from "../../../shared/errors.ts";
import { triggerKind } from "./kind.ts";

/** Messages of scripts, by their topic. */
export const pubsub = triggerKind({
  name: "pubsub",
  fields: {
    topic_pattern: Type.String({
      maxLength: 202,
      description: "a topic, all below one such as orders.*, or * for all",
    }),
  },
  shown: { topic_pattern: Type.String() },
  keep({ topic_pattern: pattern }) {
    checkPattern(pattern);
    return { pattern, ops: [], details: {}, next_at: null };
  },
  show: (kept) => ({ topic_pattern: kept.pattern }),
});

/** CONTRACT 6.1. @throws AppError 422 `invalid_topic_pattern` */
function checkPattern(pattern: string): void {
  if (pattern === "*" || isTopic(pattern.endsWith(".*") ? pattern.slice(0, -2) : pattern)) return;
  throw invalid(
    "invalid_topic_pattern",
    "topic_pattern: expected a topic such as orders.paid, all below one such as orders.*, or * for all.",
    { details: { field: "topic_pattern" } },
  );
}
