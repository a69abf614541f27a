import { AppError, invalid, tooLarge } from "../../shared/errors.ts";
import { MAX_SOURCE_BYTES } from "../../shared/limits.ts";
import type { ScriptLinks } from "../../services/catalog/index.ts";
import type { CheckScript, ScriptDiagnostic, ScriptKind } from "../context.ts";
import { readBody } from "../http/body.ts";
import type { Warning } from "./model.ts";
import { checkModuleShape } from "./module-shape.ts";

/**
 * The source text that a request carries as its raw body.
 * @throws AppError 413, 415 for a form, 422 for bytes that are no source text
 */
export async function readSourceBody(request: Request): Promise<string> {
  const type = request.headers.get("content-type") ?? "";
  if (/^multipart\//i.test(type)) {
    throw new AppError(
      415,
      "unsupported_media_type",
      "Send the source as the body itself, not as a form: curl --data-binary @hello.rhai (or -T hello.rhai).",
    );
  }
  return decodeSource(await readBody(request, MAX_SOURCE_BYTES, "The source"));
}

/** UTF-8 bytes as text, without a byte order mark. @throws AppError 422 `invalid_utf8` that tells where */
export function decodeSource(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    const offset = firstInvalidByte(bytes);
    const line = bytes.subarray(0, offset).reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 1);
    const utf16 = (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
    const hint = utf16 ? " The file seems to be UTF-16; save it as UTF-8." : "";
    throw invalid("invalid_utf8", `The source is not UTF-8: byte ${offset + 1}, in line ${line}.${hint}`, {
      details: { offset, line },
      cause,
    });
  }
}

/** @throws AppError 413, 422 `empty_source`, `invalid_source` */
export function checkSourceText(source: string): void {
  // The empty script is a valid one, but an empty upload is nearly always a file that was not found or not written.
  if (source === "")
    throw invalid("empty_source", "The source is empty. Send the text of a Rhai script.", FIELD);
  const size = Buffer.byteLength(source);
  if (size > MAX_SOURCE_BYTES) {
    throw tooLarge(`The source has ${size} bytes; ${MAX_SOURCE_BYTES} (256 KiB) are allowed.`, {
      details: { field: "source", limit_bytes: MAX_SOURCE_BYTES },
    });
  }
  const nul = source.indexOf("\0");
  if (nul !== -1) {
    const line = source.slice(0, nul).split("\n").length;
    throw invalid(
      "invalid_source",
      `The source holds a NUL character in line ${line}; is it a binary file?`,
      {
        details: { field: "source", offset: nul, line },
      },
    );
  }
  if (!source.isWellFormed()) throw invalid("invalid_source", "The source is not valid Unicode text.", FIELD);
}

const FIELD = { details: { field: "source" } };

/**
 * Compiles a source.
 * @returns the compiler's warnings, and what the source imports and offers
 * @throws AppError 422 `compile_error`, `module_shape`
 */
export async function compile(
  check: CheckScript,
  appId: string,
  source: string,
  kind: ScriptKind,
): Promise<{ readonly warnings: Warning[]; readonly links: ScriptLinks }> {
  const { diagnostics, links } = await check(appId, source, { kind });
  const error = diagnostics.find((diagnostic) => diagnostic.severity !== "warning");
  if (error === undefined) {
    if (kind === "module") checkModuleShape(source);
    return { warnings: diagnostics.map(warning), links };
  }
  const { line, column, message, excerpt } = error;
  const place = line === null ? "" : ` (line ${line}${column === null ? "" : `, column ${column}`})`;
  throw invalid("compile_error", `The script does not compile: ${message}${place}.`, {
    details: { line, column, message, excerpt },
  });
}

const warning = ({ message, line, column }: ScriptDiagnostic): Warning => ({
  message,
  ...(line !== null && { line }),
  ...(column !== null && { column }),
});

/** Index of the first byte that is not part of well-formed UTF-8. */
function firstInvalidByte(bytes: Uint8Array): number {
  let valid = 0;
  let end = bytes.length;
  // The longest decodable prefix, by halving; `stream` lets it end inside a character.
  while (valid < end) {
    const middle = Math.ceil((valid + end) / 2);
    try {
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
      valid = middle;
    } catch {
      end = middle - 1;
    }
  }
  if (valid < bytes.length) return valid;
  // All of it is well-formed but for a last character that is cut off: its first byte is meant.
  let start = bytes.length - 1;
  while (start > 0 && ((bytes[start] ?? 0) & 0xc0) === 0x80) start--;
  return start;
}
