import type { Api } from "../client/api.ts";

/** One line of a plan. */
export interface Step {
  readonly action: "create" | "update" | "delete" | "unchanged" | "keep";
  readonly kind: "app" | "settings" | "domain" | "script" | "route" | "trigger";
  readonly name: string;
  /** Names of what differs. */
  readonly changes: readonly string[];
  /** Makes it so, and may have something to tell; null: there is nothing to do. */
  readonly apply: ((api: Api, ids: ScriptIds) => Promise<string | void>) | null;
}

/** Ids of scripts by their names; those that a plan creates come in as it is carried out. */
export type ScriptIds = Map<string, string>;

/** To create something, or to change what differs. @param changes null: it is not there yet */
export const step = (
  kind: Step["kind"],
  name: string,
  changes: readonly string[] | null,
  apply: NonNullable<Step["apply"]>,
): Step => {
  if (changes === null) return { action: "create", kind, name, changes: [], apply };
  return changes.length === 0
    ? { action: "unchanged", kind, name, changes, apply: null }
    : { action: "update", kind, name, changes, apply };
};

/** To delete what the manifest does not have, or to keep it. */
export const removal = (kind: Step["kind"], name: string, prune: boolean, target: string): Step => ({
  action: prune ? "delete" : "keep",
  kind,
  name,
  changes: [],
  apply: prune ? (api) => api.remove(target) : null,
});

/** Members that are wanted otherwise than they are. */
export const differences = (wanted: object, actual: object): string[] =>
  Object.entries(wanted)
    .filter(([name, value]) => !Bun.deepEquals(value, Reflect.get(actual, name)))
    .map(([name]) => name);
