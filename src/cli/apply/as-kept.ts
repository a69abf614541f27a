import { parseDomainClaim } from "../../services/catalog/domains.ts";
import { normaliseList } from "../../services/catalog/setting-lists.ts";
import { AppError } from "../../shared/errors.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { MANIFEST, type Manifest } from "./manifest.ts";
import { lowerKey } from "./plan-routes.ts";

/**
 * The domains and settings of a manifest as the server keeps them: only then can they be compared with what it has.
 * @throws CommandError 5
 */
export function asKept({ app, settings }: Manifest): {
  /** Undefined: the manifest says nothing of domains. */
  readonly domains: readonly string[] | undefined;
  readonly settings: Readonly<Record<string, unknown>>;
} {
  try {
    const domains = app.domains?.map((text) => parseDomainClaim(text).pattern);
    return {
      domains: domains === undefined ? undefined : [...new Set(domains)],
      settings: Object.fromEntries(
        Object.entries(settings).map(([name, value]) => [name, setting(name, value)]),
      ),
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new CommandError(`Nothing was changed. ${MANIFEST}: ${error.message}`, EXIT.refused, error);
  }
}

/** What cannot be read is left to the server, which says what is wrong with it. */
function setting(name: string, value: unknown): unknown {
  // TOML has no null: `false` stands for it where it can mean nothing else.
  if (value === false && name !== "expose_errors") return null;
  if (name === "rate_limit") return lowerKey(value);
  if ((name === "cors_origins" || name === "outbound_allow") && isTexts(value))
    return normaliseList(name, value);
  return value;
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === "string");
