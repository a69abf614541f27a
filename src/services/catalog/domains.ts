import { invalid } from "../../shared/errors.ts";
import { isHostName, normaliseHost } from "../routes/index.ts";

export type DomainShape = "exact" | "wildcard" | "parameterised";

/** A host pattern that an app owns. */
export interface DomainClaim {
  /** `example.com`, `*.example.com` or `{name}.example.com`; the host part in lower case. */
  readonly pattern: string;
  readonly shape: DomainShape;
  /** The pattern without its parameter's name: two claims collide when their keys are equal. */
  readonly shapeKey: string;
}

const PARAMETER = /^\{([A-Za-z_][A-Za-z0-9_]*)\}\.(.+)$/;

/**
 * Validates and normalises a claim (CONTRACT 2.7).
 * @throws AppError 422 `invalid_domain`
 */
export function parseDomainClaim(text: string): DomainClaim {
  const parameter = PARAMETER.exec(text);
  const shape = parameter !== null ? "parameterised" : text.startsWith("*.") ? "wildcard" : "exact";
  const host = (parameter?.[2] ?? (shape === "wildcard" ? text.slice(2) : text))
    .replace(/\.$/, "")
    .toLowerCase();
  if (!isHostName(host)) {
    throw invalid(
      "invalid_domain",
      `"${text}" is not a domain; write example.com, *.example.com or {name}.example.com, without scheme, port and path.`,
      { details: { field: "pattern" } },
    );
  }
  if (shape === "exact") return { pattern: host, shape, shapeKey: host };
  if (shape === "wildcard") return { pattern: `*.${host}`, shape, shapeKey: `*.${host}` };
  return { pattern: `{${parameter?.[1] ?? ""}}.${host}`, shape, shapeKey: `{}.${host}` };
}

/** Who answers for a host. */
export interface HostTable<A> {
  /** @param host a Host header; port, case and a trailing dot do not matter */
  resolve(host: string): HostResolution<A>;
}

export interface HostResolution<A> {
  /** Normalised. */
  readonly host: string;
  readonly app: A | null;
  /** Whether the app claims it; else it is the one that takes what nobody claims. */
  readonly claimed: boolean;
  readonly params: Readonly<Record<string, string>>;
}

const NO_PARAMS: Readonly<Record<string, string>> = Object.freeze(Object.create(null));

/** Host headers remembered; beyond this the memory starts anew, so that invented hosts cannot fill it. */
const REMEMBERED_HOSTS = 1000;

/**
 * Exact claims beat all others; then the longer suffix; then `{name}.` (one label) before `*.` (any number of labels,
 * at least one). Hosts that nobody claims go to the fallback.
 */
export function compileHosts<A>(
  claims: Iterable<{ readonly pattern: string; readonly shape: DomainShape; readonly app: A }>,
  fallback: A | null,
): HostTable<A> {
  const exact = new Map<string, A>();
  const wildcard = new Map<string, A>();
  const labelled = new Map<string, { readonly app: A; readonly name: string }>();
  for (const { pattern, shape, app } of claims) {
    const suffix = pattern.slice(pattern.indexOf("."));
    if (shape === "exact") exact.set(pattern, app);
    else if (shape === "wildcard") wildcard.set(suffix, app);
    else labelled.set(suffix, { app, name: pattern.slice(1, pattern.indexOf("}")) });
  }
  const remembered = new Map<string, HostResolution<A>>();

  function find(host: string): HostResolution<A> {
    const own = exact.get(host);
    if (own !== undefined) return { host, app: own, claimed: true, params: NO_PARAMS };
    for (let dot = host.indexOf(".", 1); dot !== -1; dot = host.indexOf(".", dot + 1)) {
      const suffix = host.slice(dot);
      const label = host.slice(0, dot);
      const match = label.includes(".") ? undefined : labelled.get(suffix);
      if (match !== undefined) {
        const params: Record<string, string> = Object.create(null);
        params[match.name] = label;
        return { host, app: match.app, claimed: true, params };
      }
      const app = wildcard.get(suffix);
      if (app !== undefined) return { host, app, claimed: true, params: NO_PARAMS };
    }
    return { host, app: fallback, claimed: false, params: NO_PARAMS };
  }

  return {
    resolve(header) {
      let found = remembered.get(header);
      if (found === undefined) {
        found = find(normaliseHost(header));
        if (remembered.size >= REMEMBERED_HOSTS) remembered.clear();
        remembered.set(header, found);
      }
      return found;
    },
  };
}
