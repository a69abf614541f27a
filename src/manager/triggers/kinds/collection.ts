import { Type } from "@sinclair/typebox";
import { invalid } from "../../../shared/errors.ts";
import { triggerKind, type TriggerKind } from "./kind.ts";

/** A kind that is about changes in collections. @param ops what may happen there */
export function collectionKind<Op extends string>(
  name: "kv" | "docs" | "files",
  ops: readonly Op[],
): TriggerKind {
  const Op = Type.Union(
    ops.map((op) => Type.Literal(op)),
    { description: ops.join(", ") },
  );
  const Ops = Type.Array(Op, {
    maxItems: ops.length,
    uniqueItems: true,
    description: `a list of ${ops.join(", ")}`,
  });
  return triggerKind({
    name,
    fields: {
      collection_glob: Type.String({
        maxLength: 256,
        description: "a collection's name, a prefix such as logs:*, or * for all",
      }),
      ops: Type.Optional(Ops),
    },
    shown: { collection_glob: Type.String(), ops: Type.Array(Op) },
    keep({ collection_glob: glob, ops: wanted = [] }) {
      checkGlob(glob);
      return { pattern: glob, ops: wanted, details: {}, next_at: null };
    },
    show: (kept) => ({ collection_glob: kept.pattern, ops: kept.ops }),
  });
}

/** CONTRACT 6.1. @throws AppError 422 `invalid_glob` */
function checkGlob(glob: string): void {
  const literal = glob === "*" ? "any" : glob.endsWith(":*") ? glob.slice(0, -2) : glob;
  if (literal !== "" && !literal.includes("*")) return;
  throw invalid(
    "invalid_glob",
    "collection_glob: expected a collection's name, a prefix that ends with :* such as logs:*, or * for all.",
    { details: { field: "collection_glob" } },
  );
}
