import type { ScriptDTO, VersionDTO } from "./model.ts";
import type { Script, Version } from "./queries.ts";

export const scriptSummary = (script: Script): Omit<ScriptDTO, "source"> => ({
  id: script.id,
  app_id: script.app_id,
  kind: script.kind,
  name: script.name,
  description: script.description,
  version: script.version,
  timeout_seconds: script.timeout_seconds,
  memory_limit_mb: script.memory_limit_mb,
  sandbox: script.sandbox,
  direct_execute: script.direct_execute,
  created_at: script.created_at.toISOString(),
  updated_at: script.updated_at.toISOString(),
});

export const scriptDTO = (script: Script): ScriptDTO => ({ ...scriptSummary(script), source: script.source });

export const versionSummary = (row: Version, live: number | null): Omit<VersionDTO, "source"> => ({
  version: row.version,
  live: row.version === live,
  source_sha256: Buffer.from(row.source_sha256).toString("hex"),
  timeout_seconds: row.timeout_seconds,
  memory_limit_mb: row.memory_limit_mb,
  sandbox: row.sandbox,
  author_id: row.author_id,
  message: row.message,
  created_at: row.created_at.toISOString(),
});

export const versionDTO = (row: Version, live: number | null): VersionDTO => ({
  ...versionSummary(row, live),
  source: row.source,
});

/** The entity tag of a script: its version. */
export const etag = (script: Pick<Script, "version">): string => `"${script.version}"`;
