import type { RhaiMap } from "../../rhai/index.ts";
import { map, type Param } from "./params.ts";
import { SdkError } from "./sdk-error.ts";

type Known = Readonly<Record<string, Param<unknown>>>;

/** What a map of options holds, by name. */
export type Options<S extends Known> = {
  readonly [K in keyof S]?: S[K] extends Param<infer T> ? T : never;
};

/**
 * A last argument that may be left out: a map of options, each of which is what its parameter says. () counts as not
 * there; a name that is no option is an error that names those that are.
 */
export const options = <const S extends Known>(known: S): Param<Options<S> | undefined> => ({
  ...map("options"),
  isOptional: true,
  options: Object.values(known),
  read: (value) => readOptions(map("options").read(value), known),
});

function readOptions<S extends Known>(given: RhaiMap, known: S): Options<S> {
  const read: Record<string, unknown> = {};
  for (const [name, value] of given.entries) {
    const param = Object.hasOwn(known, name) ? known[name] : undefined;
    if (param === undefined) {
      throw new SdkError(`there is no option "${name}"; there is ${Object.keys(known).join(", ")}`);
    }
    if (value !== undefined) read[name] = param.read(value);
  }
  return read as Options<S>;
}
