/** What a script can use, as data: for the page that people read, and for the completion of editors. */
export interface SdkReference {
  readonly sdk_version: string;
  readonly ctx: readonly CtxEntry[];
  readonly namespaces: readonly NamespaceEntry[];
  /** What holds for all of it, in Markdown. */
  readonly rules: readonly RuleEntry[];
}

export interface CtxEntry {
  /** `ctx.request.path` */
  readonly name: string;
  readonly type: string;
  readonly doc: string;
}

export interface NamespaceEntry {
  readonly name: string;
  readonly doc: string;
  readonly functions: readonly FunctionEntry[];
}

export interface FunctionEntry {
  readonly name: string;
  /** The type that it is a method of, which a function of its namespace returns; null: `namespace::name(…)`. */
  readonly handle: string | null;
  /** `kv::collection(name: string) -> KvCollection`, `KvCollection.get(key: string) -> any` */
  readonly signature: string;
  readonly params: readonly (ParamEntry & {
    readonly optional: boolean;
    /** The members of a map of options; empty for anything else. */
    readonly options: readonly ParamEntry[];
  })[];
  readonly returns: string;
  readonly doc: string;
  /** It asks a service: it takes time, and counts against the calls of a run. */
  readonly service: boolean;
  readonly example: { readonly source: string; readonly result: string };
  /** What it throws, by examples, besides what is said of arguments that do not fit. */
  readonly errors: readonly string[];
}

export interface ParamEntry {
  readonly name: string;
  readonly type: string;
}

export interface RuleEntry {
  readonly title: string;
  readonly text: string;
}
