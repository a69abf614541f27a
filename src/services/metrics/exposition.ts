export type Labels = Readonly<Record<string, string>>;
export type Sample = readonly [labels: Labels, value: number];

/** One series of a histogram. */
export interface HistogramSample {
  readonly labels: Labels;
  /** Observations in each bucket alone; one more entry than there are bounds, for those above the last. */
  readonly counts: readonly number[];
  readonly sum: number;
}

/**
 * Metrics in the text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). Each family is written once.
 */
export class Exposition {
  static readonly CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";
  #lines: string[] = [];

  counter(name: string, help: string, samples: Iterable<Sample> | number): void {
    this.#family(name, "counter", help, samples);
  }

  gauge(name: string, help: string, samples: Iterable<Sample> | number): void {
    this.#family(name, "gauge", help, samples);
  }

  /** @param bounds upper ends of the buckets, ascending, in the metric's unit */
  histogram(name: string, help: string, bounds: readonly number[], samples: Iterable<HistogramSample>): void {
    this.#head(name, "histogram", help);
    for (const { labels, counts, sum } of samples) {
      let total = 0;
      for (const [index, count] of counts.entries()) {
        total += count;
        const le = index < bounds.length ? String(bounds[index]) : "+Inf";
        this.#lines.push(`${name}_bucket${labelText({ ...labels, le })} ${total}`);
      }
      this.#lines.push(
        `${name}_sum${labelText(labels)} ${sum}`,
        `${name}_count${labelText(labels)} ${total}`,
      );
    }
  }

  toString(): string {
    return `${this.#lines.join("\n")}\n`;
  }

  #family(name: string, type: string, help: string, samples: Iterable<Sample> | number): void {
    this.#head(name, type, help);
    for (const [labels, value] of typeof samples === "number" ? [[{}, samples] as const] : samples)
      this.#lines.push(`${name}${labelText(labels)} ${value}`);
  }

  #head(name: string, type: string, help: string): void {
    this.#lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
  }
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return parts.length === 0 ? "" : `{${parts.join(",")}}`;
}

const escaped = (value: string): string =>
  value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
