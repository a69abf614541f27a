import { necessary, type Condition, type Path, type Query } from "./filter.ts";
import { samePath, type IndexUse } from "./sql.ts";

/** An index that may be used, as far as choosing needs it. */
export interface ReadyIndex {
  readonly id: string;
  readonly path: Path;
  readonly isUnique: boolean;
}

/**
 * Which index answers a query; null: none, every document of the collection is looked at. A given value narrows most, of a
 * unique field most of all; then a range; and when nothing narrows, an index can at least give the order.
 */
export function chooseIndex(query: Query, ready: readonly ReadyIndex[]): IndexUse | null {
  const conditions = necessary(query.where);
  let best: IndexUse | null = null;
  let bestRank = 0;
  for (const index of ready) {
    const use = useOf(query, index, conditions);
    if (use === null) continue;
    const rank = use.kind === "values" ? (index.isUnique ? 4 : 3) : use.kind === "range" ? 2 : 1;
    if (rank > bestRank) [best, bestRank] = [use, rank];
  }
  return best;
}

function useOf(
  query: Query,
  { id, path }: ReadyIndex,
  conditions: ReturnType<typeof necessary>,
): IndexUse | null {
  const bounds: {
    readonly than: string;
    readonly value: Extract<(typeof conditions)[number], { kind: "order" }>["value"];
  }[] = [];
  for (const condition of conditions) {
    if (!("path" in condition) || !samePath(condition.path, path)) continue;
    if (condition.kind === "equal" && isScalar(condition.json))
      return { kind: "values", id, path, json: [condition.json] };
    if (condition.kind === "in" && condition.json.every(isScalar))
      return { kind: "values", id, path, json: condition.json };
    if (
      condition.kind === "order" &&
      (bounds[0] === undefined || bounds[0].value.type === condition.value.type)
    ) {
      bounds.push({ than: condition.than, value: condition.value });
    }
  }
  if (bounds.length > 0) return { kind: "range", id, path, bounds };
  const [first] = query.sort;
  return first !== undefined && samePath(first.path, path) ? { kind: "sort", id, path } : null;
}

/** What has the order that a query wants: an index, or the collection itself (null). Undefined: nothing. */
export function orderIndex({ sort }: Query, ready: readonly ReadyIndex[]): IndexUse | null | undefined {
  const [first] = sort;
  if (first === undefined) return null;
  const index = sort.length === 1 ? ready.find(({ path }) => samePath(path, first.path)) : undefined;
  return index === undefined ? undefined : { kind: "sort", id: index.id, path: index.path };
}

/** Whether the entries of an index tell all: each of them is a document that is wanted, and there are no others. */
export function answersAll(query: Query, use: IndexUse): boolean {
  const conditions = necessary(query.where);
  switch (use.kind) {
    case "values":
      return conditions.length === 1;
    case "range":
      return conditions.length === use.bounds.length;
    case "sort":
      return conditions.length === 0;
  }
}

/** Arrays and maps stand in an index by their type alone. */
const isScalar = (json: string): boolean => !json.startsWith("[") && !json.startsWith("{");

/**
 * The field that an index would have to be on for a query to be answered sooner; null: none would help.
 * @param ready indexes that there are
 */
export function missingIndex(query: Query, ready: readonly ReadyIndex[]): Path | null {
  const isIndexed = (path: Path): boolean => ready.some((index) => samePath(index.path, path));
  const helpful = (kinds: readonly Condition["kind"][]): Path | null => {
    for (const condition of necessary(query.where)) {
      if (kinds.includes(condition.kind) && "path" in condition && !isIndexed(condition.path))
        return condition.path;
    }
    return null;
  };
  const narrowing = helpful(["equal", "in"]) ?? helpful(["order"]);
  if (narrowing !== null) return narrowing;
  // An order is of help where nothing narrows.
  const [first] = query.sort;
  const isNarrowed = chooseIndex({ ...query, sort: [] }, ready) !== null;
  return first === undefined || isNarrowed || isIndexed(first.path) ? null : first.path;
}
