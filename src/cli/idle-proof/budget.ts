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
  /** Where a checkpoint fell into the time: what it writes itself. */
  walBytesOfCheckpoint: 1024,
  cpuPercent: 0.02,
  switchesPerSecond: 1,
  /** Bun looks after each open socket once a second, and a database elsewhere needs two. */
  switchesPerSecondWithSockets: 8,
  postgresSwitchesPerSecond: 0.5,
  residentMB: 70,
  postgresPrivateMB: 20,
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
