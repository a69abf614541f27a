/** What the dashboard reads of PiCloud's public API; the answers of its own origin, with the login cookie. */

export interface User {
  readonly id: string;
  readonly username: string;
  readonly instance_role: "owner" | "admin" | "member";
  readonly email: string | null;
}

export interface Version {
  readonly product: string;
  readonly sdk: string;
  readonly api: number;
  readonly schema: number;
  readonly wire: number;
  readonly public_base_url: string;
}

export interface App {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly description: string;
  readonly created_at: string;
  readonly updated_at: string;
}

export interface Script {
  readonly id: string;
  readonly app_id: string;
  readonly kind: "endpoint" | "module";
  readonly name: string;
  readonly description: string;
  readonly version: number;
  /** Whether that version runs; else there are only drafts. */
  readonly live: boolean;
  /** Where it answers. */
  readonly urls: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
}

export interface SdkFunction {
  readonly name: string;
  readonly signature: string;
  readonly doc: string;
  readonly example: { readonly source: string; readonly result: string };
  /** What it throws, by examples. */
  readonly errors: readonly string[];
}

/** What scripts can use. */
export interface Sdk {
  readonly sdk_version: string;
  readonly ctx: readonly { readonly name: string; readonly type: string; readonly doc: string }[];
  readonly namespaces: readonly {
    readonly name: string;
    readonly doc: string;
    readonly functions: readonly SdkFunction[];
  }[];
}

/** An answer that is no success. The message is for the user. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

type Fetch = typeof fetch;

const ADMIN = "/api/v1/admin";

export const me = (fetch: Fetch): Promise<User> => get(fetch, `${ADMIN}/auth/me`);
export const version = (fetch: Fetch): Promise<Version> => get(fetch, "/version");
export const apps = (fetch: Fetch): Promise<App[]> => get(fetch, `${ADMIN}/apps`);
export const scripts = (fetch: Fetch, app: App): Promise<Script[]> =>
  get(fetch, `${ADMIN}/scripts?fields=summary&app=${encodeURIComponent(app.slug)}`);
export const sdk = (fetch: Fetch): Promise<Sdk> => get(fetch, `${ADMIN}/sdk`);

/** The server sets the login cookie, which no script can read. The token in its answer is not kept. */
export async function login(username: string, password: string): Promise<void> {
  await send(fetch, "POST", `${ADMIN}/auth/login`, { username, password });
}

export async function logout(): Promise<void> {
  await send(fetch, "POST", `${ADMIN}/auth/logout`);
}

export interface Probe {
  readonly ok: boolean;
  /** One line of what the endpoint said. */
  readonly text: string;
}

/** Asks /healthz or /readyz; never throws. */
export async function probe(fetch: Fetch, path: "/healthz" | "/readyz"): Promise<Probe> {
  try {
    const response = await fetch(path, { cache: "no-store" });
    return { ok: response.ok, text: response.ok ? "ok" : messageOf(await response.text(), response.status) };
  } catch {
    return { ok: false, text: "no answer" };
  }
}

async function get<T>(fetch: Fetch, path: string): Promise<T> {
  const response = await send(fetch, "GET", path);
  return (await response.json()) as T;
}

async function send(fetch: Fetch, method: string, path: string, body?: unknown): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      cache: "no-store",
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, "PiCloud does not answer. Is it running?");
  }
  if (!response.ok) throw new ApiError(response.status, messageOf(await response.text(), response.status));
  return response;
}

/** The human sentence of a problem document (`error`, RFC 9457 `detail`), or of plain text. */
function messageOf(text: string, status: number): string {
  try {
    const { error, detail } = JSON.parse(text) as { error?: unknown; detail?: unknown };
    if (typeof error === "string") return error;
    if (typeof detail === "string") return detail;
  } catch {
    // No JSON.
  }
  const line = text.trim().split("\n")[0] ?? "";
  return line !== "" && line.length < 200 && !line.startsWith("<") ? line : `HTTP ${status}`;
}
