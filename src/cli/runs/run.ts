/** A run as the server tells of it; what the command line looks at. */
export interface Run {
  readonly execution_id: string;
  readonly script_id: string;
  readonly version: number;
  readonly status: string;
  readonly status_code: number | null;
  readonly duration_ms: number;
  readonly operations: number;
  readonly request: { readonly method: string; readonly path: string } | null;
  readonly response_summary: string | null;
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly line?: number;
    readonly column?: number;
  } | null;
  readonly logs: readonly LogLine[];
  readonly trigger_kind: string;
  readonly created_at: string;
}

export interface LogLine {
  readonly ts: string;
  readonly level: string;
  readonly message: string;
  readonly data?: unknown;
}
