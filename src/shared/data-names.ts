/** Bytes of a collection's or a key's name (CONTRACT 4). */
const MAX_BYTES = 256;

/** What is wrong with the name of a collection or a key, to go on after what it names; null: nothing. */
export function nameFault(name: string): string | null {
  if (name === "") return "must not be empty";
  if (Buffer.byteLength(name) > MAX_BYTES) return `is longer than ${MAX_BYTES} bytes`;
  if (CONTROL.test(name)) return "must not hold control characters";
  return null;
}

// oxlint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;
