import type { Condition, Path, Scalar, SortKey } from "./filter.ts";

/** The text of a statement as it grows, with its parameters: nothing that a script wrote is in the text. */
export class Statement {
  readonly values: (string | number | readonly string[])[] = [];

  /** `$n` for a value. */
  bind(value: string | number | readonly string[]): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }

  /** The JSON at a path of the document `d`. */
  at(path: Path): string {
    return `(d.data #> ${this.bind(path)}::text[])`;
  }

  json(text: string): string {
    return `${this.bind(text)}::text::jsonb`;
  }

  jsonArray(texts: readonly string[]): string {
    return `${this.bind(texts)}::text[]::jsonb[]`;
  }
}

/**
 * A condition as SQL that is true or false, never null, so that its negation is its opposite. Regular expressions count as
 * fulfilled (inside of a negation: as not fulfilled), so that nothing is lost that may match.
 */
export function conditionSql(statement: Statement, condition: Condition, negated = false): string {
  switch (condition.kind) {
    case "all":
      return joined(statement, condition.of, "and", "true", negated);
    case "any":
      return joined(statement, condition.of, "or", "false", negated);
    case "not":
      return `not ${conditionSql(statement, condition.of, !negated)}`;
    case "equal":
      return condition.json === "null"
        ? `coalesce(${statement.at(condition.path)}, 'null'::jsonb) = 'null'::jsonb`
        : `coalesce(${statement.at(condition.path)} = ${statement.json(condition.json)}, false)`;
    case "in":
      return `coalesce(${statement.at(condition.path)}, 'null'::jsonb) = any(${statement.jsonArray(condition.json)})`;
    case "order": {
      const { path, than, value } = condition;
      // jsonb orders all types in one line, in which a number is less than any bool: the type must be looked at.
      return `coalesce(jsonb_typeof(${statement.at(path)}) = '${value.type}' and ${statement.at(path)} ${than} ${statement.json(value.json)}, false)`;
    }
    case "exists":
      return `${statement.at(condition.path)} is not null`;
    case "contains":
      return containsSql(statement, condition);
    case "regex":
      return String(!negated);
  }
}

function joined(
  statement: Statement,
  of: readonly Condition[],
  word: string,
  none: string,
  negated: boolean,
): string {
  if (of.length === 0) return none;
  return `(${of.map((condition) => conditionSql(statement, condition, negated)).join(` ${word} `)})`;
}

function containsSql(
  statement: Statement,
  { path, json, text }: Extract<Condition, { readonly kind: "contains" }>,
): string {
  const inArray = `exists (select from jsonb_array_elements(case jsonb_typeof(${statement.at(path)}) when 'array' then ${statement.at(path)} else '[]'::jsonb end) e where e = ${statement.json(json)})`;
  if (text === null) return inArray;
  const inText = `coalesce(jsonb_typeof(${statement.at(path)}) = 'string' and position(${statement.bind(text)} in d.data #>> ${statement.bind(path)}::text[]) > 0, false)`;
  return `(${inArray} or ${inText})`;
}

/** What documents are sorted by: the index that is used anyhow, or the value itself. */
export const keyOf = (statement: Statement, { path }: SortKey, use: IndexUse | null): string =>
  use !== null && samePath(use.path, path) ? "e.value" : `doc_key(d.data, ${statement.bind(path)}::text[])`;

/** Where a page begins: the sort keys (as JSON text) and the id of the last document of the page before. */
export interface After {
  readonly keys: readonly string[];
  readonly id: string;
}

/** Those that come after a document in the order. */
export function afterSql(
  statement: Statement,
  sort: readonly SortKey[],
  use: IndexUse | null,
  after: After,
): string {
  const id = use === null ? "d.id" : "e.doc_id";
  const last = `${statement.bind(after.id)}::uuid`;
  const [first] = sort;
  const isKey = use !== null && first !== undefined && samePath(use.path, first.path);
  // The very order of the index: it is entered right there.
  if (isKey && sort.length === 1 && !first.descending)
    return `(e.value, ${id}) > (${statement.json(after.keys[0] ?? "null")}, ${last})`;
  // (k1 beyond) or (k1 equal and k2 beyond) or … or (all equal and id beyond)
  const alternatives: string[] = [];
  const equal: string[] = [];
  let bound = "";
  for (const [index, { path, descending }] of sort.entries()) {
    const value = statement.json(after.keys[index] ?? "null");
    const column = keyOf(statement, { path, descending }, use);
    // Follows from the rest, but this an index can begin at.
    if (index === 0 && isKey) bound = `e.value ${descending ? "<=" : ">="} ${value} and `;
    alternatives.push([...equal, `${column} ${descending ? "<" : ">"} ${value}`].join(" and "));
    equal.push(`${column} = ${value}`);
  }
  alternatives.push([...equal, `${id} > ${last}`].join(" and "));
  return `(${bound}(${alternatives.map((one) => `(${one})`).join(" or ")}))`;
}

/** What an index narrows the documents to. */
export type IndexUse = { readonly id: string; readonly path: Path } & (
  | { readonly kind: "values"; readonly json: readonly string[] }
  | {
      readonly kind: "range";
      readonly bounds: readonly { readonly than: string; readonly value: Scalar }[];
    }
  /** Nothing is narrowed, but its order is the one that is wanted. */
  | { readonly kind: "sort" }
);

/** Conditions on the entries `e` of an index. */
export function indexSql(statement: Statement, use: IndexUse): string {
  const entries = `e.index_id = ${statement.bind(use.id)}::bigint and not e.is_gone`;
  switch (use.kind) {
    case "values": {
      const [one] = use.json;
      // With a plain comparison the server sees that one plan is as good as another for each value, and keeps it.
      return one !== undefined && use.json.length === 1
        ? `${entries} and e.value = ${statement.json(one)}`
        : `${entries} and e.value = any(${statement.jsonArray(use.json)})`;
    }
    case "range":
      return [
        entries,
        ...use.bounds.map(({ than, value }) => `e.value ${than} ${statement.json(value.json)}`),
        ...typeBounds(use),
      ].join(" and ");
    case "sort":
      return entries;
  }
}

/** Below every number in an index, as none has more than 1,024 digits. */
const LEAST_NUMBER = "'-1e1024'::jsonb";

/** jsonb has null < strings < numbers < bools < maps: a range of one type ends where the next begins. */
function typeBounds({ bounds }: Extract<IndexUse, { readonly kind: "range" }>): string[] {
  const type = bounds[0]?.value.type;
  if (type === undefined) return [];
  const lower = { string: `'""'::jsonb`, number: LEAST_NUMBER, boolean: "'false'::jsonb" }[type];
  const upper = { string: LEAST_NUMBER, number: "'false'::jsonb", boolean: "'{}'::jsonb" }[type];
  return [
    ...(bounds.some(({ than }) => than.startsWith(">")) ? [] : [`e.value >= ${lower}`]),
    ...(bounds.some(({ than }) => than.startsWith("<")) ? [] : [`e.value < ${upper}`]),
  ];
}

export const samePath = (a: Path, b: Path): boolean =>
  a.length === b.length && a.every((segment, index) => segment === b[index]);
