import type { NativeFunction } from "../runtime/native.ts";
import { arithmetic } from "./arithmetic.ts";
import { arithmeticU8 } from "./arithmetic-u8.ts";
import { arrayBasic } from "./array-basic.ts";
import { bitField } from "./bit-field.ts";
import { blobBasic } from "./blob-basic.ts";
import { fnBasic } from "./fn-basic.ts";
import { iterBasic } from "./iter-basic.ts";
import { toJsonFunction } from "./json.ts";
import { langCore } from "./lang-core.ts";
import { logic } from "./logic.ts";
import { mapBasic } from "./map-basic.ts";
import { mathBasic } from "./math-basic.ts";
import { stringBasic } from "./string-basic.ts";
import { stringMore } from "./string-more.ts";
import { tags } from "./tags.ts";
import { timeBasic } from "./time-basic.ts";

/**
 * The functions and operators of the official standard package, except those that only the engine can offer
 * (`type_of`, `call`, `eval`, `Fn`, function metadata) and `parse_json`, which needs the parser: see
 * `jsonFunctions`.
 */
export const standardLibrary: readonly NativeFunction[] = [
  ...arithmetic,
  ...arithmeticU8,
  ...logic,
  ...arrayBasic,
  ...bitField,
  ...blobBasic,
  ...fnBasic,
  ...iterBasic,
  ...langCore,
  ...tags,
  ...mapBasic,
  toJsonFunction,
  ...mathBasic,
  ...stringBasic,
  ...stringMore,
  ...timeBasic,
];
