import { Type, type Static } from "@sinclair/typebox";

/** What a script can use, as data: for the page that people read, and for the completion of editors. */

const text = (description: string) => Type.String({ description });
const object = <T extends Parameters<typeof Type.Object>[0]>(properties: T) =>
  Type.Object(properties, { additionalProperties: false });

const ParamEntry = object({ name: Type.String(), type: Type.String() });
export type ParamEntry = Static<typeof ParamEntry>;

const FunctionEntry = object({
  name: Type.String(),
  handle: Type.Union([Type.String(), Type.Null()], {
    description:
      "The type that it is a method of, which a function of its namespace returns; null: `namespace::name(…)`.",
  }),
  signature: text("`kv::collection(name: string) -> KvCollection`, `KvCollection.get(key: string) -> any`"),
  params: Type.Array(
    object({
      name: Type.String(),
      type: Type.String(),
      optional: Type.Boolean(),
      options: Type.Array(ParamEntry, {
        description: "The members of a map of options; empty for anything else.",
      }),
    }),
  ),
  returns: Type.String(),
  doc: Type.String(),
  service: Type.Boolean({
    description: "It asks a service: it takes time, and counts against the calls of a run.",
  }),
  example: object({ source: Type.String(), result: text("As `debug` shows the value.") }),
  errors: Type.Array(Type.String(), {
    description: "What it throws, by examples, besides what is said of arguments that do not fit.",
  }),
});
export type FunctionEntry = Static<typeof FunctionEntry>;

const CtxEntry = object({ name: text("`ctx.request.path`"), type: Type.String(), doc: Type.String() });
export type CtxEntry = Static<typeof CtxEntry>;

const RuleEntry = object({ title: Type.String(), text: text("Markdown.") });
export type RuleEntry = Static<typeof RuleEntry>;

export const SdkReference = object({
  sdk_version: Type.String(),
  ctx: Type.Array(CtxEntry),
  namespaces: Type.Array(
    object({ name: Type.String(), doc: Type.String(), functions: Type.Array(FunctionEntry) }),
  ),
  rules: Type.Array(RuleEntry, { description: "What holds for all of it." }),
});
export type SdkReference = Static<typeof SdkReference>;
