/** The control plane: everything under /api/v1/admin. */
export { createManager, type Manager, type ManagerDeps } from "./manager.ts";
export type { CheckScript, ScriptDiagnostic, ScriptKind } from "./context.ts";
