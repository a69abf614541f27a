import type { RhaiMap } from "../../rhai/index.ts";
import type { Param } from "./params.ts";
import { SdkError } from "./sdk-error.ts";

/** What a map of options holds, by name; a parameter's `read` says what each must be. */
type Read<S extends Readonly<Record<string, Param<unknown>>>> = {
  readonly [K in keyof S]: (S[K] extends Param<infer T> ? T : never) | undefined;
};

/**
 * The options of a call: those that are there, checked. () counts as not there.
 * @throws SdkError for a name that is no option, naming those that are
 */
export function readOptions<const S extends Readonly<Record<string, Param<unknown>>>>(
  options: RhaiMap | undefined,
  known: S,
): Read<S> {
  const read: Record<string, unknown> = {};
  for (const [name, value] of options?.entries ?? []) {
    const param = Object.hasOwn(known, name) ? known[name] : undefined;
    if (param === undefined) {
      throw new SdkError(`there is no option "${name}"; there is ${Object.keys(known).join(", ")}`);
    }
    if (value !== undefined) read[name] = param.read(value);
  }
  return read as Read<S>;
}
