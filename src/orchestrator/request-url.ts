/** The parts of a request's URL, as text. */
export interface RequestUrl {
  /** With the port; empty when there is none. */
  readonly host: string;
  /** As received: percent-encoded. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
}

/** Cuts a normalised absolute URL (as `Request.url` gives it) in pieces; a tenth of what `new URL` costs. */
export function readUrl(url: string): RequestUrl {
  // Without a Host header Bun gives the path alone.
  const start = url.startsWith("/") ? 0 : url.indexOf("//") + 2;
  const slash = url.indexOf("/", start);
  if (slash === -1) return { host: url.slice(start), path: "/", query: "" };
  const mark = url.indexOf("?", slash);
  return {
    host: url.slice(start, slash),
    path: mark === -1 ? url.slice(slash) : url.slice(slash, mark),
    query: mark === -1 ? "" : url.slice(mark + 1),
  };
}
