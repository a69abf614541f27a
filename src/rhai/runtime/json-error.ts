/** A text that is not JSON, with line and column, or a value that JSON cannot hold, with its place. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}
