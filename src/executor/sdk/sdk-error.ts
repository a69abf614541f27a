/** What is wrong with a call, in words for the author of a script; the function's name is put before it. */
export class SdkError extends Error {
  override readonly name = "SdkError";
}
