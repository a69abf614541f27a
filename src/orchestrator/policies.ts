import type { Catalog } from "../services/catalog/index.ts";
import type { TrustedProxies } from "../services/identity/client-address.ts";
import { clientAddress } from "../services/identity/client-address.ts";
import type { RateLimit } from "../services/routes/index.ts";
import { allowedOrigin, allowOrigin } from "./cors.ts";
import { subjectOf, type RateHeaders, type RateLimits } from "./rate-limits.ts";
import type { Asked } from "./targets.ts";

/** What route and app demand of a request and add to its answer. */
export interface Policies {
  /**
   * Carries a request out under the rate limits of its route and its app, and lets pages of the app's allowed origins
   * read the answer. Never rejects, unless `refuse` throws.
   * @param refuse makes the answer to an error
   */
  govern(
    asked: Asked,
    carryOut: () => Promise<Response>,
    refuse: (error: unknown) => Response,
  ): Promise<Response>;
}

export function createPolicies(catalog: Catalog, limits: RateLimits, proxies: TrustedProxies): Policies {
  /** Whom a request counts against under a limit. */
  function subject(limit: RateLimit, scope: string, { request, origin, caller }: Asked): string {
    const { headers } = request;
    const who = subjectOf(limit.key, {
      headers,
      userId: caller.principal?.userId ?? null,
      address: () => clientAddress(headers, origin.remoteAddress, proxies),
    });
    return `${scope} ${who}`;
  }

  async function limited(
    asked: Asked,
    rules: readonly (readonly [scope: string, limit: RateLimit])[],
    carryOut: () => Promise<Response>,
    refuse: (error: unknown) => Response,
  ): Promise<Response> {
    let headers: Partial<RateHeaders> = {};
    let response: Response;
    try {
      // The route's own comes last: it is the one whose figures the answer shows.
      headers = limits.takeAll(rules.map(([scope, rate]) => ({ name: subject(rate, scope, asked), rate })));
      response = await carryOut();
    } catch (error) {
      response = refuse(error);
    }
    for (const [name, value] of Object.entries(headers)) {
      if (!response.headers.has(name)) response.headers.set(name, value);
    }
    return response;
  }

  return {
    govern(asked, carryOut, refuse) {
      const { script, route } = asked.target;
      const settings = catalog.app(script.appId)?.settings;
      const ofApp = settings?.rateLimit ?? null;
      const ofRoute = route?.rateLimit ?? null;
      // Most apps and routes demand nothing; then nothing is in the way.
      const answer =
        ofApp === null && ofRoute === null
          ? carryOut().catch(refuse)
          : limited(
              asked,
              [
                ...(ofApp === null ? [] : [[script.appId, ofApp] as const]),
                ...(ofRoute === null || route === null ? [] : [[route.id, ofRoute] as const]),
              ],
              carryOut,
              refuse,
            );
      const origin = settings === undefined ? null : allowedOrigin(asked.request, settings.corsOrigins);
      if (origin === null) return answer;
      return answer.then((response) => {
        allowOrigin(response, origin);
        return response;
      });
    },
  };
}
