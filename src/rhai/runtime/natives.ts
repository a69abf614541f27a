import type { NativeFunction, NativeModule, Ref } from "./native.ts";
import { Tagged, TaggedPlace, untagged } from "./tagged.ts";
import { ANY, TAGGED, tagOf, tagOfType } from "./type-tag.ts";
import type { Value } from "./values.ts";

/** How a group of overloads is called; `first` may be a Ref. */
export type NativeCall = (context: unknown, ...args: unknown[]) => Value | Promise<Value>;

/** One overload, with what a call site needs to know about it. */
export interface Overload {
  readonly fn: NativeFunction;
  readonly call: NativeCall;
  readonly tags: readonly number[];
  readonly mutates: boolean;
  readonly pure: boolean;
  /** Whether the call may run script code, so that a captured variable must be locked meanwhile. */
  readonly callsBack: boolean;
}

/** All natives of one name and parameter count. Finds the overload for given arguments, and remembers. */
export class NativeGroup {
  readonly name: string;
  readonly arity: number;
  readonly overloads: Overload[] = [];
  /** Union over the overloads. */
  mutates = false;
  suspends = false;
  callsBack = false;
  readonly keeps = new Set<number>();
  #byTag: (Overload | null | undefined)[] = [];
  #byTags = new Map<number, Overload | null>();

  constructor(name: string, arity: number) {
    this.name = name;
    this.arity = arity;
  }

  add(fn: NativeFunction): void {
    const tags = fn.params.map(tagOfType);
    if (this.overloads.some((other) => other.tags.every((tag, i) => tag === tags[i]))) return;
    this.overloads.push({
      fn,
      call: fn.call as NativeCall,
      tags,
      mutates: fn.mutates === true,
      pure: fn.pure,
      callsBack: fn.callsBack === true || fn.suspends === true,
    });
    this.mutates ||= fn.mutates === true;
    this.suspends ||= fn.suspends === true;
    this.callsBack ||= fn.callsBack === true;
    for (const index of fn.keeps ?? []) this.keeps.add(index);
  }

  /** The overload for these arguments, or null. */
  find(args: readonly Value[]): Overload | null {
    switch (args.length) {
      case 0:
        return this.overloads[0] ?? null;
      case 1:
        return this.find1(args[0]);
      case 2:
        return this.find2(args[0], args[1]);
      default: {
        const tags = args.map(tagOf);
        let key = 0;
        for (const tag of tags) key = key * 256 + tag;
        if (tags.length > 6) return tags.includes(TAGGED) ? this.#findTagged(args) : this.#choose(tags);
        const known = this.#byTags.get(key);
        if (known !== undefined) return known;
        if (tags.includes(TAGGED)) return this.#findTagged(args);
        const chosen = this.#choose(tags);
        this.#byTags.set(key, chosen);
        return chosen;
      }
    }
  }

  find1(a: Value): Overload | null {
    const tag = tagOf(a);
    const known = this.#byTag[tag];
    if (known !== undefined) return known;
    if (tag === TAGGED) return this.#findTagged([a]);
    return (this.#byTag[tag] = this.#choose([tag]));
  }

  find2(a: Value, b: Value): Overload | null {
    const first = tagOf(a);
    const second = tagOf(b);
    const key = first * 64 + second;
    if (second < 64) {
      const known = this.#byTag[key];
      if (known !== undefined) return known;
      if (first === TAGGED || second === TAGGED) return this.#findTagged([a, b]);
      if (key < 4096) return (this.#byTag[key] = this.#choose([first, second]));
    }
    return this.#choose([first, second]);
  }

  /** The overload for arguments of which some carry a tag; the call takes out what it does not keep. Never remembered. */
  #findTagged(args: readonly Value[]): Overload | null {
    const overload = this.find(args.map(untagged));
    if (overload === null) return null;
    const { fn, call, mutates } = overload;
    const plain = (arg: unknown, i: number): unknown => {
      if (i === 0 && mutates && args[0] instanceof Tagged) return new TaggedPlace(arg as Ref);
      return arg instanceof Tagged && !(fn.params[i] === "any" && fn.keeps?.includes(i)) ? arg.value : arg;
    };
    return { ...overload, call: (context, ...given) => call(context, ...given.map(plain)) };
  }

  /** Exact types beat `any`, and a later parameter takes `any` rather than an earlier one. */
  #choose(tags: readonly number[]): Overload | null {
    let best: Overload | null = null;
    let bestMask = Number.POSITIVE_INFINITY;
    for (const overload of this.overloads) {
      const mask = anyMask(overload.tags, tags);
      if (mask < bestMask) {
        best = overload;
        bestMask = mask;
      }
    }
    return best;
  }
}

function anyMask(params: readonly number[], tags: readonly number[]): number {
  let mask = 0;
  for (let i = 0; i < params.length; i++) {
    mask *= 2;
    if (params[i] === tags[i]) continue;
    if (params[i] !== ANY) return Number.POSITIVE_INFINITY;
    mask += 1;
  }
  return mask;
}

/** The natives an engine knows, by name and parameter count; those of named modules apart. */
export class NativeTable {
  readonly #groups = new Map<string, Map<number, NativeGroup>>();
  readonly spaces = new Map<string, NativeTable>();
  readonly constants = new Map<string, Value>();

  /** Of two natives with the same signature the one added first counts. */
  addModule(module: NativeModule): void {
    const table = this.#space(module.name === "" ? [] : module.name.split("::"));
    for (const fn of module.functions) table.add(fn);
    for (const [name, value] of Object.entries(module.constants ?? {})) table.constants.set(name, value);
  }

  /** The table of a module's path, null where there is none. */
  find(path: readonly string[]): NativeTable | null {
    const [first, ...rest] = path;
    return first === undefined ? this : (this.spaces.get(first)?.find(rest) ?? null);
  }

  #space(path: readonly string[]): NativeTable {
    const [first, ...rest] = path;
    if (first === undefined) return this;
    let inner = this.spaces.get(first);
    if (inner === undefined) this.spaces.set(first, (inner = new NativeTable()));
    return inner.#space(rest);
  }

  add(fn: NativeFunction): void {
    let byArity = this.#groups.get(fn.name);
    if (byArity === undefined) this.#groups.set(fn.name, (byArity = new Map()));
    let group = byArity.get(fn.params.length);
    if (group === undefined)
      byArity.set(fn.params.length, (group = new NativeGroup(fn.name, fn.params.length)));
    group.add(fn);
  }

  group(name: string, arity: number): NativeGroup | null {
    return this.#groups.get(name)?.get(arity) ?? null;
  }

  /** Whether any native, also in a module, may suspend. */
  get anySuspends(): boolean {
    for (const group of this.groups()) if (group.suspends) return true;
    for (const space of this.spaces.values()) if (space.anySuspends) return true;
    return false;
  }

  /** Whether a native of this name may suspend, with any number of parameters. */
  suspendsByName(name: string): boolean {
    for (const group of this.#groups.get(name)?.values() ?? []) if (group.suspends) return true;
    return false;
  }

  /** Whether `path::name` may suspend. What is imported may hold anything, so it may. */
  qualifiedSuspends(
    path: readonly string[],
    name: string,
    arity: number,
    imported: ReadonlySet<string>,
  ): boolean {
    const [first] = path;
    if (first === undefined || imported.has(first)) return true;
    return this.find(path)?.group(name, arity)?.suspends === true;
  }

  /** Every group, for whole-program questions. */
  *groups(): Iterable<NativeGroup> {
    for (const byArity of this.#groups.values()) yield* byArity.values();
  }

  hasName(name: string): boolean {
    return this.#groups.has(name);
  }
}
