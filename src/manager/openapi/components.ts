import type { TSchema } from "@sinclair/typebox";
import { ExecutionDTO, ExecutionError, LogDTO, LogEntry } from "../../services/executions/index.ts";
import { AdminDTO, KeyDTO } from "../../services/identity/index.ts";
import { CreatedKey } from "../api-keys/model.ts";
import { AppSettingsDTO } from "../app-settings/model.ts";
import { SdkReference } from "../../shared/sdk-reference.ts";
import { SecretDTO } from "../../services/secrets/index.ts";
import { AuditDTO } from "../audit/model.ts";
import { AppDTO, AppWithRole } from "../apps/model.ts";
import { LoginAnswer, Me } from "../auth/model.ts";
import { DocCollectionDTO, DocDTO, IndexDTO } from "../docs/model.ts";
import { DomainDTO } from "../domains/model.ts";
import { RerunDTO } from "../executions/model.ts";
import { Problem } from "../http/module.ts";
import { KvCollectionDTO, KvEntryDTO } from "../kv/model.ts";
import { CandidateDTO, MemberDTO } from "../members/model.ts";
import { CheckAnswer, ConflictDTO, MatchAnswer, RouteDTO } from "../routes/model.ts";
import { UsageDTO } from "../usage/index.ts";
import {
  Deployed,
  Sandbox,
  SavedScript,
  ScriptDTO,
  ScriptSummary,
  VersionDTO,
  VersionList,
  VersionSummary,
  Warning,
} from "../scripts/model.ts";

/**
 * The schemas that have a name in the document, for those who generate clients from it. What is not here is written out
 * where it is used.
 */
export const COMPONENTS: Readonly<Record<string, TSchema>> = {
  App: AppDTO,
  AppSettings: AppSettingsDTO,
  AppWithRole,
  AuditEntry: AuditDTO,
  Candidate: CandidateDTO,
  CreatedKey,
  Deployed,
  DocCollection: DocCollectionDTO,
  DocIndex: IndexDTO,
  Document: DocDTO,
  Domain: DomainDTO,
  Execution: ExecutionDTO,
  ExecutionError,
  ExecutionSummary: LogDTO,
  Key: KeyDTO,
  KvCollection: KvCollectionDTO,
  KvEntry: KvEntryDTO,
  LogEntry,
  LoginAnswer,
  Me,
  Member: MemberDTO,
  Problem,
  Rerun: RerunDTO,
  Route: RouteDTO,
  RouteCheck: CheckAnswer,
  RouteConflict: ConflictDTO,
  RouteMatch: MatchAnswer,
  Sandbox,
  SavedScript,
  Script: ScriptDTO,
  ScriptSummary,
  SdkReference,
  Secret: SecretDTO,
  Usage: UsageDTO,
  User: AdminDTO,
  Version: VersionDTO,
  VersionList,
  VersionSummary,
  Warning,
};
