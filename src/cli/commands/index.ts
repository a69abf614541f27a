import type { Command } from "commander";

/** A command that talks to a server. What it is made of is loaded when it is needed. */
export interface ClientCommand {
  readonly name: string;
  readonly description: string;
  /** Gives the command its arguments, options and subcommands. */
  readonly load: () => Promise<(command: Command) => void>;
}

const client = (name: string, description: string, load: ClientCommand["load"]): ClientCommand => ({
  name,
  description,
  load,
});

/** In the order of the help. */
export const CLIENT_COMMANDS: readonly ClientCommand[] = [
  client("login", "sign in to a server, and keep the login", async () => (await import("./login.ts")).define),
  client("logout", "end the login", async () => (await import("./logout.ts")).define),
  client("whoami", "show who is signed in, and where", async () => (await import("./whoami.ts")).define),
  client("deploy", "create or update scripts from files", async () => (await import("./deploy.ts")).define),
  client("apply", "make an app what a picloud.toml says", async () => (await import("./apply.ts")).define),
  client("invoke", "run a script on the server", async () => (await import("./invoke.ts")).define),
  client("logs", "show the latest runs of a script", async () => (await import("./logs.ts")).define),
  client("executions", "list, show and repeat runs", async () => (await import("./executions.ts")).define),
  client("versions", "list the versions of a script", async () => (await import("./versions.ts")).define),
  client(
    "rollback",
    "make an older version live again",
    async () => (await import("./versions.ts")).defineRollback,
  ),
  client("diff", "compare two versions of a script", async () => (await import("./versions.ts")).defineDiff),
  client("apps", "list, create and delete apps", async () => (await import("./apps.ts")).define),
  client("scripts", "list, show and delete scripts", async () => (await import("./scripts.ts")).define),
  client("routes", "list, add and delete routes", async () => (await import("./routes.ts")).define),
  client("domains", "the hosts that an app answers for", async () => (await import("./domains.ts")).define),
  client("members", "who works in an app", async () => (await import("./members.ts")).define),
  client("secrets", "what only an app's scripts may know", async () => (await import("./secrets.ts")).define),
  client("triggers", "what calls scripts by itself", async () => (await import("./triggers.ts")).define),
  client(
    "dead-letters",
    "deliveries that failed for the last time",
    async () => (await import("./dead-letters.ts")).define,
  ),
  client("api-keys", "make, list and revoke your keys", async () => (await import("./api-keys.ts")).define),
  client("users", "who may use this PiCloud", async () => (await import("./users.ts")).define),
  client("rehearse", "show when cron triggers will fire", async () => (await import("./rehearse.ts")).define),
  client("audit", "who changed what", async () => (await import("./audit.ts")).define),
];
