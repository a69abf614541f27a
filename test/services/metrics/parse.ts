/** One sample line. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly samples: ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,|$)/y;

/**
 * Reads the text format of Prometheus, version 0.0.4, as strictly as `promtool check metrics`: HELP, then TYPE, then the
 * samples of a family in one piece; counters end with _total; no series twice; buckets add up.
 * @throws Error that names the line
 */
export function parseExposition(text: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let current: { name: string; helped: boolean; family: Family | null } | null = null;
  if (!text.endsWith("\n")) throw new Error("the last line does not end");
  for (const [index, line] of text.slice(0, -1).split("\n").entries()) {
    const wrong = (what: string): Error => new Error(`line ${index + 1}: ${what}: ${line}`);
    const comment = /^# (HELP|TYPE) (\S+) (.+)$/.exec(line);
    if (comment !== null) {
      const [, kind, name = "", rest = ""] = comment;
      if (!NAME.test(name)) throw wrong("not a name");
      if (kind === "HELP") {
        if (families.has(name)) throw wrong("a family twice");
        current = { name, helped: true, family: null };
      } else {
        if (current?.name !== name || current.family !== null) throw wrong("TYPE without HELP before it");
        if (!["counter", "gauge", "histogram"].includes(rest)) throw wrong("not a type");
        if ((rest === "counter") !== name.endsWith("_total"))
          throw wrong("counters, and only they, end with _total");
        current.family = { name, type: rest, samples: [] };
        families.set(name, current.family);
      }
      continue;
    }
    const [, name = "", labelText = "", valueText = ""] = /^([^{\s]+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    const family: Family | undefined = current?.family ?? undefined;
    if (!NAME.test(name) || family === undefined) throw wrong("not a sample of a family");
    const own =
      family.type === "histogram"
        ? ["_bucket", "_sum", "_count"].map((end) => family.name + end)
        : [family.name];
    if (!own.includes(name)) throw wrong(`a sample of ${name} within ${family.name}`);
    if (!/^(?:[+-]Inf|NaN|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$/.test(valueText)) throw wrong("not a number");
    family.samples.push({ name, labels: labelsOf(labelText, wrong), value: Number(valueText) });
  }
  for (const family of families.values()) check(family);
  return families;
}

function labelsOf(text: string, wrong: (what: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const [, name = "", value = ""] = LABEL.exec(text) ?? [];
    if (name === "") throw wrong("malformed labels");
    if (Object.hasOwn(labels, name)) throw wrong(`the label ${name} twice`);
    labels[name] = value.replaceAll(/\\(.)/g, (_, character: string) =>
      character === "n" ? "\n" : character,
    );
  }
  return labels;
}

const key = (labels: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

function check({ name, type, samples }: Family): void {
  const series = samples.map((sample) => `${sample.name} ${key(sample.labels)}`);
  if (new Set(series).size < series.length) throw new Error(`${name}: a series twice`);
  if (type !== "histogram") return;
  const groups = Map.groupBy(samples, ({ labels: { le: _, ...rest } }) => key(rest));
  for (const group of groups.values()) {
    const buckets = group.filter((sample) => sample.name.endsWith("_bucket"));
    const bounds = buckets.map(({ labels }) => Number((labels["le"] ?? "NaN").replace("Inf", "Infinity")));
    if (bounds.at(-1) !== Infinity) throw new Error(`${name}: no bucket for all`);
    for (let n = 1; n < buckets.length; n++) {
      if (!((bounds[n] ?? 0) > (bounds[n - 1] ?? 0))) throw new Error(`${name}: bounds do not ascend`);
      if ((buckets[n]?.value ?? 0) < (buckets[n - 1]?.value ?? 0))
        throw new Error(`${name}: buckets do not add up`);
    }
    const count = group.find((sample) => sample.name.endsWith("_count"))?.value;
    if (count !== buckets.at(-1)?.value) throw new Error(`${name}: count and last bucket differ`);
    if (!group.some((sample) => sample.name.endsWith("_sum"))) throw new Error(`${name}: no sum`);
  }
}
