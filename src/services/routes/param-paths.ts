/** The routes of one path, by method; `""` answers every method. */
export type Methods<R> = Map<string, R>;

/** How well a set answers a method: the lower the better; undefined: not at all. */
export function pick<R>(methods: Methods<R>, method: string): { route: R; rank: number } | undefined {
  const own = methods.get(method);
  if (own !== undefined) return { route: own, rank: 0 };
  const get = method === "HEAD" ? methods.get("GET") : undefined;
  if (get !== undefined) return { route: get, rank: 1 };
  const any = methods.get("");
  return any === undefined ? undefined : { route: any, rank: 2 };
}

interface ParamPath<R> {
  /** Literals; null where any non-empty segment fits. */
  readonly segments: readonly (string | null)[];
  readonly methods: Methods<R>;
}

/** Paths with as many segments and as many leading literals, by what those are. */
interface Level<R> {
  readonly leading: number;
  readonly byLiterals: Map<string, ParamPath<R>[]>;
}

/**
 * Param paths of one host pattern: found by their number of segments and their leading literals, so that thousands of
 * them cost a request no more than a few.
 */
export class ParamPaths<R> {
  /** By number of segments, each list with more leading literals first. */
  readonly #levels = new Map<number, Level<R>[]>();

  get isEmpty(): boolean {
    return this.#levels.size === 0;
  }

  /** The routes of a path; made when there are none. */
  methodsOf(path: string): Methods<R> {
    const segments = patternSegments(path);
    const { leading, literals } = headOf(segments);
    const paths = this.#level(segments.length, leading).byLiterals;
    let list = paths.get(literals);
    if (list === undefined) {
      list = [];
      paths.set(literals, list);
    }
    const present = list.find((other) => isSame(other.segments, segments));
    if (present !== undefined) return present.methods;
    const methods: Methods<R> = new Map();
    list.push({ segments, methods });
    return methods;
  }

  /** Forgets a path that has no routes any more. */
  prune(path: string): void {
    const segments = patternSegments(path);
    const { leading, literals } = headOf(segments);
    const levels = this.#levels.get(segments.length);
    const level = levels?.find((other) => other.leading === leading);
    const list = level?.byLiterals.get(literals);
    if (levels === undefined || level === undefined || list === undefined) return;
    const rest = list.filter((other) => other.methods.size > 0 || !isSame(other.segments, segments));
    if (rest.length > 0) {
      level.byLiterals.set(literals, rest);
      return;
    }
    level.byLiterals.delete(literals);
    if (level.byLiterals.size > 0) return;
    levels.splice(levels.indexOf(level), 1);
    if (levels.length === 0) this.#levels.delete(segments.length);
  }

  /** The route with the most leading literals, and how many these are. @param segments decoded */
  find(method: string, segments: readonly string[]): { route: R; leading: number } | undefined {
    for (const { leading, byLiterals } of this.#levels.get(segments.length) ?? []) {
      const list = byLiterals.get(leading === 0 ? "" : segments.slice(0, leading).join("/"));
      let best: { route: R; rank: number } | undefined;
      for (const candidate of list ?? []) {
        if (!fits(candidate.segments, segments)) continue;
        const found = pick(candidate.methods, method);
        // Equal leading literals on different paths can only differ in method (anything else is a conflict).
        if (found !== undefined && (best === undefined || found.rank < best.rank)) best = found;
      }
      if (best !== undefined) return { route: best.route, leading };
    }
    return undefined;
  }

  #level(length: number, leading: number): Level<R> {
    let levels = this.#levels.get(length);
    if (levels === undefined) {
      levels = [];
      this.#levels.set(length, levels);
    }
    let level = levels.find((other) => other.leading === leading);
    if (level === undefined) {
      level = { leading, byLiterals: new Map() };
      levels.push(level);
      levels.sort((a, b) => b.leading - a.leading);
    }
    return level;
  }
}

const patternSegments = (path: string): (string | null)[] =>
  path
    .slice(1)
    .split("/")
    .map((segment) => (segment.startsWith(":") ? null : segment));

function headOf(segments: readonly (string | null)[]): {
  readonly leading: number;
  readonly literals: string;
} {
  const leading = segments.indexOf(null);
  return { leading, literals: segments.slice(0, leading).join("/") };
}

const isSame = (a: readonly (string | null)[], b: readonly (string | null)[]): boolean =>
  a.every((segment, index) => segment === b[index]);

function fits(pattern: readonly (string | null)[], segments: readonly string[]): boolean {
  for (let index = 0; index < pattern.length; index++) {
    const wanted = pattern[index];
    const given = segments[index];
    if (wanted === null ? given === "" : wanted !== given) return false;
  }
  return true;
}
