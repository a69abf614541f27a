import { Type } from "@sinclair/typebox";
import { AppPath } from "../apps/model.ts";
import type { ManagerContext } from "../context.ts";
import { principalOf } from "../http/caller.ts";
import { apiModule, problems, strict } from "../http/module.ts";
import { usageOf } from "./service.ts";

const KindUsage = strict({
  collections: Type.Integer(),
  entries: Type.Integer(),
  bytes: Type.Integer(),
});

/** How much data an app has. */
export const UsageDTO = strict({
  bytes: Type.Integer({ description: "of all data together" }),
  quota_bytes: Type.Union([Type.Integer(), Type.Null()]),
  kv: KindUsage,
  docs: KindUsage,
});

export const usageModule = (context: ManagerContext) =>
  apiModule().get(
    "/apps/:app/usage",
    ({ request, params }) => usageOf(context, principalOf(request), params.app),
    {
      params: AppPath,
      detail: {
        summary: "How much data an app has",
        description:
          "An entry counts the bytes of its names and of its JSON, and 100 more. Values that have expired count until they are removed.",
        tags: ["apps"],
      },
      response: { 200: UsageDTO, ...problems(401, 403, 404) },
    },
  );
