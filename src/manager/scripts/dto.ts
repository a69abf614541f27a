import type { ScriptDTO, VersionDTO } from "./model.ts";
import type { Script, ScriptHead, Version } from "./queries.ts";
import type { Settings } from "./settings.ts";

/** @param urls where its routes answer */
export const scriptSummary = (script: Script, urls: readonly string[]): Omit<ScriptDTO, "source"> => ({
  id: script.id,
  app_id: script.app_id,
  kind: script.kind,
  name: script.name,
  description: script.description,
  version: script.version,
  live: script.version === script.live_version,
  live_version: script.live_version,
  timeout_seconds: script.timeout_seconds,
  memory_limit_mb: script.memory_limit_mb,
  sandbox: script.sandbox,
  direct_execute: script.direct_execute,
  urls: [...urls],
  created_at: script.created_at.toISOString(),
  updated_at: script.updated_at.toISOString(),
});

export const scriptDTO = (script: Script, urls: readonly string[]): ScriptDTO => ({
  ...scriptSummary(script, urls),
  source: script.source,
});

export const versionSummary = (row: Version, live: number | null): Omit<VersionDTO, "source"> => ({
  version: row.version,
  live: row.version === live,
  source_sha256: Buffer.from(row.source_sha256).toString("hex"),
  timeout_seconds: row.timeout_seconds,
  memory_limit_mb: row.memory_limit_mb,
  sandbox: row.sandbox,
  author_id: row.author_id,
  author: row.author,
  message: row.message,
  created_at: row.created_at.toISOString(),
});

export const versionDTO = (row: Version, live: number | null): VersionDTO => ({
  ...versionSummary(row, live),
  source: row.source,
});

type Audited = Omit<ScriptHead, "app_id" | "id"> & Settings & { readonly source_sha256: Uint8Array };

/** A script as the audit log compares it; the source by its hash. */
export const auditedScript = (script: Audited) => ({
  name: script.name,
  kind: script.kind,
  description: script.description,
  direct_execute: script.direct_execute,
  live_version: script.live_version,
  last_version: script.last_version,
  source: Buffer.from(script.source_sha256).toString("hex"),
  timeout_seconds: script.timeout_seconds,
  memory_limit_mb: script.memory_limit_mb,
  sandbox: script.sandbox,
});

/** A script as the audit log names it. */
export const scriptTarget = ({ id, name }: Pick<Script, "id" | "name">) => ({ kind: "script", id, name });
