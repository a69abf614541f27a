import { tableRows } from "../client/table.ts";

/** One thing that was measured. */
export interface Finding {
  readonly name: string;
  readonly measured: number;
  readonly unit: string;
  /** What it may be at most. Null: of somebody else too, so there is no verdict. */
  readonly budget: number | null;
}

/** What a PiCloud at rest may cost, together with its PostgreSQL. */
export const BUDGET = {
  statements: 0,
  walBytes: 0,
  cpuPercent: 0.02,
  switchesPerSecond: 1,
  /** Bun looks after each open socket once a second, and a database elsewhere needs two. Measured: 0.015 % and 3. */
  cpuPercentWithSockets: 0.1,
  switchesPerSecondWithSockets: 8,
  postgresSwitchesPerSecond: 0.5,
  residentMB: 70,
  postgresPrivateMB: 20,
} as const;

/**
 * What PostgreSQL does by itself every few minutes is more than its share of a short time, and less than that of a long
 * one. Measured: an autovacuum worker that finds nothing to do takes 12 ms and 15 context switches.
 */
export const ALLOWANCE = {
  /** For a Raspberry Pi. */
  autovacuumCpuMs: 50,
  autovacuumSwitches: 20,
  /** What a checkpoint writes itself. */
  checkpointWalBytes: 1024,
} as const;

export const isMet = ({ measured, budget }: Finding): boolean => budget === null || measured <= budget;

/** Aligned columns. */
export function findingsTable(findings: readonly Finding[]): string {
  return tableRows(
    ["what!", "measured!", "budget!", "unit!", "verdict!"],
    findings.map((finding) => [
      finding.name,
      shown(finding.measured),
      finding.budget === null ? "" : String(finding.budget),
      finding.unit,
      finding.budget === null ? "" : isMet(finding) ? "ok" : "ABOVE",
    ]),
    200,
  );
}

const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : value.toFixed(value < 1 ? 3 : 1);
