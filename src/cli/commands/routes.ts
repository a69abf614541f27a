import { Option, type Command } from "commander";
import { path, type Api } from "../client/api.ts";
import { appId, scriptId, scriptNamed, theOne } from "../client/names.ts";
import { appCommand, type AppFlag } from "../client/options.ts";
import { openSession } from "../client/session.ts";
import { isUuid } from "../../shared/ids.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit.ts";

/** The members of a route that the command line uses. */
interface Route {
  readonly id: string;
  readonly script_id: string;
  readonly host: string;
  readonly path: string;
  readonly path_kind: "exact" | "prefix" | "param";
  readonly method: string | null;
}

interface RouteFlags extends AppFlag {
  readonly method?: string;
  readonly host?: string;
  readonly dispatch?: "sync" | "async";
  readonly idempotent?: boolean;
}

const COLUMNS = ["script", "method", "host", "path!", "dispatch_mode", "enabled", "id?"];

/** `picloud routes`. */
export function define(command: Command): void {
  appCommand(command, "ls [script]", "list the routes of an app, or of one script").action(
    async (script: string | undefined, flags: AppFlag, self: Command) => {
      const { api, print } = openSession(self);
      print.rows(COLUMNS, await routesOf(api, flags.app, script));
    },
  );
  withBinding(
    appCommand(command, "add <script> <path>", "bind a path such as /hello, /users/:id or /files/*"),
  )
    .addOption(
      new Option("--dispatch <mode>", "whether the caller waits for the script").choices(["sync", "async"]),
    )
    .option("--idempotent", "honour the header Idempotency-Key")
    .action(async (script: string, where: string, flags: RouteFlags, self: Command) => {
      const { api, print } = openSession(self);
      const id = await scriptId(api, flags.app, script);
      const route = await api.post<Route>(path`/scripts/${id}/routes`, {
        ...binding(where, flags),
        ...(flags.dispatch !== undefined && { dispatch_mode: flags.dispatch }),
        ...(flags.idempotent === true && { idempotent: true }),
      });
      print.rows(COLUMNS, [shown(route, script)]);
    });
  withBinding(
    appCommand(command, "rm <route> [path]", "delete a route: by its id, or by script and path"),
  ).action(async (route: string, where: string | undefined, flags: RouteFlags, self: Command) => {
    const { api, print } = openSession(self);
    const id = where === undefined && isUuid(route) ? route : await findRoute(api, route, where, flags);
    await api.remove(path`/routes/${id}`);
    print.note(`Deleted the route ${where ?? id}.`);
  });
  withBinding(appCommand(command, "check <path>", "tell whether a path is free, without binding it")).action(
    async (where: string, flags: RouteFlags, self: Command) => {
      const { api, print } = openSession(self);
      const answer = await api.post<Checked>("/routes:check", {
        app_id: await appId(api, flags.app),
        ...binding(where, flags),
      });
      const { conflict } = answer;
      print.one({
        ok: answer.ok,
        ...answer.normalized,
        conflict: conflict && `${conflict.script_name} ${conflict.path}`,
      });
      if (!answer.ok)
        throw new CommandError(`${where} is taken by the script ${conflict?.script_name}.`, EXIT.refused);
    },
  );
  appCommand(command, "match <url>", "tell which route answers a URL or path")
    .option("--method <method>", "the HTTP method", "GET")
    .action(async (url: string, flags: AppFlag & { readonly method: string }, self: Command) => {
      const { api, print } = openSession(self);
      const { matched, route, params } = await api.post<Matched>("/routes:match", {
        app_id: await appId(api, flags.app),
        url,
        method: flags.method,
      });
      if (!matched || route === undefined)
        throw new CommandError(`No route answers ${flags.method} ${url}.`, EXIT.notFound);
      const script = await scriptNamed(api, flags.app, route.script_id);
      print.one({
        script: script.name,
        path: shownPath(route),
        method: route.method,
        params,
        route_id: route.id,
      });
    });
}

interface Checked {
  readonly ok: boolean;
  readonly normalized: object;
  readonly conflict?: { readonly script_name: string; readonly path: string };
}

interface Matched {
  readonly matched: boolean;
  readonly route?: Route;
  readonly params: Readonly<Record<string, string>>;
}

const withBinding = (command: Command): Command =>
  command
    .option("--method <method>", "for this HTTP method only")
    .option("--host <host>", "for this host only, such as api.example.com or *.example.com");

const binding = (where: string, { method, host }: RouteFlags) => ({
  path: where,
  ...(method !== undefined && { method }),
  ...(host !== undefined && { host }),
});

/** A path as people write it: a prefix ends with a star. */
const shownPath = (route: Pick<Route, "path" | "path_kind">): string =>
  route.path_kind === "prefix" ? `${route.path}*` : route.path;

const shown = (route: Route, script: string) => ({ ...route, script, path: shownPath(route) });

/** Routes with the names of their scripts. */
async function routesOf(api: Api, app: string, script: string | undefined) {
  const scripts =
    script === undefined
      ? await api.get<readonly { readonly id: string; readonly name: string }[]>(
          path`/scripts?fields=summary&app=${app}`,
        )
      : [await scriptNamed(api, app, script)];
  const lists = await Promise.all(
    scripts.map(async ({ id, name }) =>
      (await api.get<readonly Route[]>(path`/scripts/${id}/routes`)).map((route) => shown(route, name)),
    ),
  );
  return lists.flat();
}

async function findRoute(
  api: Api,
  script: string,
  where: string | undefined,
  flags: RouteFlags,
): Promise<string> {
  if (where === undefined)
    throw new CommandError("Name the route by its id, or by script and path.", EXIT.usage);
  const routes = (await routesOf(api, flags.app, script)).filter(
    (route) =>
      (flags.method === undefined || route.method === flags.method.toUpperCase()) &&
      (flags.host === undefined || route.host === flags.host),
  );
  return theOne(routes, where, (route) => route.path, `route of ${script}`).id;
}
