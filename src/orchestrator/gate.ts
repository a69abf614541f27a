export interface GateStats {
  /** Slots in use, over all apps. */
  readonly running: number;
  readonly waiting: number;
  /** Since the start. */
  readonly rejected: number;
}
