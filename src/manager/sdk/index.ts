import { SdkReference } from "../../shared/sdk-reference.ts";
import type { ManagerContext } from "../context.ts";
import { apiModule, problems } from "../http/module.ts";

export const sdkModule = ({ sdkReference }: ManagerContext) =>
  apiModule().get("/sdk", sdkReference, {
    detail: { summary: "What scripts can use: ctx and every function, for editors", tags: ["sdk"] },
    response: { 200: SdkReference, ...problems(401) },
  });
