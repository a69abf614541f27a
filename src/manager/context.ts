import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import type { Diagnostic } from "../rhai/index.ts";
import type { ExecutionLog, ExecutionRow } from "../services/executions/index.ts";
import type { Catalog, ScriptLinks } from "../services/catalog/index.ts";
import type { Identity, Users } from "../services/identity/index.ts";
import type { Keyring } from "../services/secrets/index.ts";
import type { RunLimits } from "../shared/limits.ts";
import type { SdkReference } from "../shared/sdk-reference.ts";
import type { Principal } from "../shared/principal.ts";
import type { Tails } from "./executions/tail.ts";
import type { Connection } from "./http/caller.ts";

export type ScriptKind = "endpoint" | "module";

/** What the compiler says about a source. */
export interface ScriptDiagnostic extends Pick<Diagnostic, "message" | "line" | "column" | "excerpt"> {
  /** Default `error`. A warning does not keep the script from being saved. */
  readonly severity?: "error" | "warning";
}

/** Compiles a source off the main thread, without running it. */
export type CheckScript = (
  appId: string,
  source: string,
  options: { readonly kind: ScriptKind },
) => Promise<{
  /** What is wrong with it; no errors among them: it compiles. */
  readonly diagnostics: readonly ScriptDiagnostic[];
  /** What it imports and offers, as far as it compiles. */
  readonly links: ScriptLinks;
}>;

/**
 * Runs one version of a script with a request, and answers, counts and records as the data plane does. Who calls has
 * been asked whether they may. Never rejects.
 */
export type InvokeVersion = (
  request: Request,
  connection: Connection,
  what: {
    readonly script: {
      readonly appId: string;
      readonly id: string;
      readonly name: string;
      readonly limits: RunLimits;
      readonly imports: readonly string[];
    };
    readonly version: number;
    /** `hidesAuthorization`: that header is a credential of ours, which the script must not see. */
    readonly caller: { readonly principal: Principal; readonly hidesAuthorization: boolean };
    /** As the client wrote it. */
    readonly path: string;
    readonly requestId: string;
  },
) => Promise<Response>;

/** A body as the data plane reads it; JSON stays text, so that numbers keep all their digits. */
export type RunBody =
  | { readonly kind: "none" }
  | { readonly kind: "json" | "form" | "text"; readonly text: string }
  | { readonly kind: "bytes"; readonly bytes: Uint8Array };

/** The request that a script is to see. */
export interface RunInput {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly host: string;
  readonly remoteIp: () => string;
  /** Name (lower case) and value by turns. */
  readonly headers: () => readonly string[];
  readonly params: Readonly<Record<string, string>>;
  readonly rest: string;
  readonly body: RunBody;
}

/** Runs one version of a script as the data plane does, and tells how it went. @throws AppError 503 */
export type RunScript = (run: {
  /** A new one. */
  readonly executionId: string;
  readonly script: {
    readonly appId: string;
    readonly id: string;
    readonly name: string;
    readonly limits: RunLimits;
    readonly imports: readonly string[];
  };
  readonly version: number;
  readonly triggerKind: string;
  /** As whom it runs; the script sees it. */
  readonly principal: Principal | null;
  readonly requestId: string;
  readonly request: RunInput | null;
  /** `ctx.event` as JSON text. */
  readonly event: string | null;
  /** The run that it repeats. */
  readonly rerun: { readonly of: string; readonly rootExecutionId: string } | null;
}) => Promise<{
  readonly outcome: Pick<ExecutionRow, "status" | "logs" | "operations" | "durationMs" | "error"> & {
    readonly response: { readonly body: string | Uint8Array } | null;
  };
  readonly statusCode: number;
}>;

/** Whoever does what data needs afterwards is told through these. */
export interface DataNotices {
  /** Some data will be over at this moment (milliseconds since the epoch). */
  expires(at: number): void;
  /** An index of documents was asked for, or is not wanted any more. */
  indexesChanged(): void;
  /** Something was written that may have caused events. */
  eventsCaused(): void;
  /** A cron trigger was made or changed. */
  cronChanged(): void;
}

/** What the modules of the control plane work with. */
export interface ManagerContext {
  readonly db: Database;
  readonly config: Config;
  readonly identity: Identity;
  readonly users: Users;
  readonly checkScript: CheckScript;
  readonly invokeVersion: InvokeVersion;
  readonly runScript: RunScript;
  readonly executions: Pick<ExecutionLog, "watch">;
  readonly tails: Tails;
  readonly data: DataNotices;
  /** Opens and seals the secrets of apps. */
  readonly keyring: Keyring;
  /** Awaited after every commit that the data plane must see, before the answer. Never rejects. */
  readonly catalogChanged: (appId: string) => Promise<void>;
  /** The app that answers for a Host header (null: none), whether it claims it, and what the claim takes out of it. */
  readonly resolveHost: (host: string) => {
    readonly appId: string | null;
    readonly claimed: boolean;
    readonly params: Readonly<Record<string, string>>;
  };
  readonly routeOf: Catalog["route"];
  /** What scripts can use. Made when it is asked for: most of a server's time nobody does. */
  readonly sdkReference: () => Promise<SdkReference>;
}
