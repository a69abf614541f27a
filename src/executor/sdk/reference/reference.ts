import { VERSIONS } from "../../../shared/version.ts";
import type { SdkFunction, SdkNamespace } from "../define.ts";
import type { Param } from "../params.ts";
import { serviceNamespaces } from "../services/index.ts";
import { stateless } from "../stateless/index.ts";
import { ctxEntries } from "./ctx.ts";
import type { FunctionEntry, ParamEntry, SdkReference } from "../../../shared/sdk-reference.ts";
import { rules } from "./rules.ts";

/** Every namespace that scripts can use, by name. */
export const allNamespaces: readonly SdkNamespace[] = [...serviceNamespaces, ...stateless].toSorted((a, b) =>
  a.name < b.name ? -1 : 1,
);

/** What scripts can use, made from the declarations that their bindings are made from. */
export const sdkReference = (): SdkReference => ({
  sdk_version: VERSIONS.sdk,
  ctx: [...ctxEntries],
  namespaces: allNamespaces.map(({ name, doc, functions }) => ({
    name,
    doc,
    functions: functions.map((fn) => functionEntry(name, fn)),
  })),
  rules: [...rules],
});

function functionEntry(namespace: string, fn: SdkFunction): FunctionEntry {
  const { name, handle, returns, doc, isService, example, errors } = fn;
  return {
    name,
    handle,
    signature: `${handle === null ? `${namespace}::` : `${handle}.`}${name}(${fn.params.map(shown).join(", ")}) -> ${returns}`,
    params: fn.params.map((param) => ({
      ...entryOf(param),
      optional: param.isOptional,
      options: (param.options ?? []).map(entryOf),
    })),
    returns,
    doc,
    service: isService,
    example: { ...example },
    errors: errors.map(({ message }) => message),
  };
}

const entryOf = ({ name, type }: Param<unknown>): ParamEntry => ({ name, type });

const shown = ({ name, type, isOptional }: Param<unknown>): string =>
  `${name}${isOptional ? "?" : ""}: ${type}`;
