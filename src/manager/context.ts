import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import type { Diagnostic } from "../rhai/index.ts";
import type { Identity, Users } from "../services/identity/index.ts";
import type { RunLimits } from "../shared/limits.ts";
import type { Principal } from "../shared/principal.ts";
import type { Connection } from "./http/caller.ts";

export type ScriptKind = "endpoint" | "module";

/** What the compiler says about a source. */
export interface ScriptDiagnostic extends Pick<Diagnostic, "message" | "line" | "column" | "excerpt"> {
  /** Default `error`. A warning does not keep the script from being saved. */
  readonly severity?: "error" | "warning";
}

/** Compiles a source off the main thread, without running it. Resolves with what is wrong; empty: it compiles. */
export type CheckScript = (
  appId: string,
  source: string,
  options: { readonly kind: ScriptKind },
) => Promise<readonly ScriptDiagnostic[]>;

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
    };
    readonly version: number;
    /** `hidesAuthorization`: that header is a credential of ours, which the script must not see. */
    readonly caller: { readonly principal: Principal; readonly hidesAuthorization: boolean };
    /** As the client wrote it. */
    readonly path: string;
    readonly requestId: string;
  },
) => Promise<Response>;

/** What the modules of the control plane work with. */
export interface ManagerContext {
  readonly db: Database;
  readonly config: Config;
  readonly identity: Identity;
  readonly users: Users;
  readonly checkScript: CheckScript;
  readonly invokeVersion: InvokeVersion;
  /** Awaited after every commit that the data plane must see, before the answer. Never rejects. */
  readonly catalogChanged: (appId: string) => Promise<void>;
  /** The app that answers for a Host header; null: none. */
  readonly appOfHost: (host: string) => string | null;
}
