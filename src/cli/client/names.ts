import { isUuid } from "../../shared/ids.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";
import { path, type Api } from "./api.ts";

/** The members of a script that the command line uses. */
export interface Script {
  readonly id: string;
  readonly app_id: string;
  readonly name: string;
  readonly kind: "endpoint" | "module";
  readonly version: number;
  readonly source: string;
}

/** The address of a script by its name, or by its id. */
export const scriptPath = (app: string, script: string): string =>
  isUuid(script) ? path`/scripts/${script}` : path`/apps/${app}/scripts/${script}`;

/** @param script its id, or its name in the app @throws ApiError 404 */
export const scriptNamed = (api: Api, app: string, script: string): Promise<Script> =>
  api.get<Script>(scriptPath(app, script));

/** The id of a script; the server is only asked for that of a name. */
export const scriptId = async (api: Api, app: string, script: string): Promise<string> =>
  isUuid(script) ? script : (await scriptNamed(api, app, script)).id;

/** The id of an app. @param app its id or slug */
export const appId = async (api: Api, app: string): Promise<string> =>
  isUuid(app) ? app : (await api.get<{ readonly id: string }>(path`/apps/${app}`)).id;

/**
 * The one of a list that a person means by an id or a name.
 * @param what in the message: "user", "API key"
 * @throws CommandError 4 when there is none, or more than one of that name
 */
export function theOne<T extends { readonly id: string }>(
  items: readonly T[],
  wanted: string,
  nameOf: (item: T) => string,
  what: string,
): T {
  const found = items.filter((item) => item.id === wanted || nameOf(item) === wanted);
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  throw new CommandError(
    found.length === 0
      ? `There is no ${what} "${wanted}".`
      : `There are ${found.length} of the name "${wanted}"; name the ${what} by its id.`,
    EXIT.notFound,
  );
}
