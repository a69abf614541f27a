/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  /** No credential, or one that the server does not accept (401). */
  notAuthenticated: 3,
  /** 404. */
  notFound: 4,
  /** The server refused what was sent: 400, 409, 412, 413, 415, 422. */
  refused: 5,
} as const;
