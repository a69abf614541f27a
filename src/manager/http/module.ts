import { Type, type TSchema } from "@sinclair/typebox";
import { Elysia } from "elysia";

/**
 * An Elysia instance with the settings that all modules of the control plane share.
 * `normalize: false`: unknown fields are refused rather than dropped. `strictPath`: `/apps/x/` is not `/apps/x`, so that
 * a `..` that a client resolved never means the resource above. `standardHostname: false`: host names may be short.
 */
export const apiModule = () =>
  new Elysia({ normalize: false, strictPath: true, handler: { standardHostname: false } });

/** An object without further fields. */
export const strict = <T extends Record<string, TSchema>>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

/** RFC 9457 with the members that PiCloud adds. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    error: Type.String(),
    code: Type.String(),
    details: Type.Record(Type.String(), Type.Unknown()),
    request_id: Type.String(),
  },
  { $id: "Problem", additionalProperties: false },
);

/** The problem answers of an endpoint, for its `response` declaration: `...problems(401, 404)`. */
export function problems<S extends number>(...statuses: readonly S[]): Record<S, typeof Problem> {
  return Object.fromEntries(statuses.map((status) => [status, Problem])) as Record<S, typeof Problem>;
}

/** 204 has no body. */
export const NoContent = Type.Void();
