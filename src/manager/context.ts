import type { Config } from "../config.ts";
import type { Database } from "../database/client.ts";
import type { Diagnostic } from "../rhai/index.ts";
import type { Identity, Users } from "../services/identity/index.ts";

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

/** What the modules of the control plane work with. */
export interface ManagerContext {
  readonly db: Database;
  readonly config: Config;
  readonly identity: Identity;
  readonly users: Users;
  readonly checkScript: CheckScript;
  /** Awaited after every commit that the data plane must see, before the answer. Never rejects. */
  readonly catalogChanged: (appId: string) => Promise<void>;
  /** The app that answers for a Host header; null: none. */
  readonly appOfHost: (host: string) => string | null;
}
