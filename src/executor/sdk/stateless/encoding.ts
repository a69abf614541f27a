import { RhaiBlob } from "../../../rhai/index.ts";
import { pure, type SdkNamespace } from "../define.ts";
import { bytes, text } from "../params.ts";
import { SdkError } from "../sdk-error.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws SdkError */
function textOf(data: Uint8Array): string {
  try {
    return utf8.decode(data);
  } catch {
    throw new SdkError("the decoded bytes are not valid UTF-8; decode them to a blob instead");
  }
}

/** @throws SdkError */
function decoded(what: string, work: () => Uint8Array): Uint8Array {
  try {
    return work();
  } catch {
    throw new SdkError(`the text is not valid ${what}`);
  }
}

const fromBase64 = (source: string): Uint8Array =>
  decoded("base64", () => Uint8Array.fromBase64(source, { lastChunkHandling: "strict" }));

/** Without padding or, leniently, with it. */
const fromBase64Url = (source: string): Uint8Array =>
  decoded("base64url", () => Uint8Array.fromBase64(source.replace(/=+$/, ""), { alphabet: "base64url" }));

export const base64: SdkNamespace = {
  name: "base64",
  doc: "Bytes as text of 64 letters, digits and signs (RFC 4648).",
  functions: [
    pure({
      name: "encode",
      params: [bytes("data")],
      returns: "string",
      doc: "The bytes, or the UTF-8 of a string, as base64 with padding.",
      call: (_, data) => data.toBase64(),
    }),
    pure({
      name: "decode",
      params: [text("text")],
      returns: "blob",
      doc: "The bytes that a base64 text stands for. Throws when it is none.",
      call: (_, source) => new RhaiBlob(fromBase64(source)),
    }),
    pure({
      name: "decode_string",
      params: [text("text")],
      returns: "string",
      doc: "The text that a base64 text stands for. Throws when it is none, or its bytes are not valid UTF-8.",
      call: (_, source) => textOf(fromBase64(source)),
    }),
    pure({
      name: "encode_url",
      params: [bytes("data")],
      returns: "string",
      doc: "Base64 in the alphabet for URLs and file names, without padding.",
      call: (_, data) => data.toBase64({ alphabet: "base64url", omitPadding: true }),
    }),
    pure({
      name: "decode_url",
      params: [text("text")],
      returns: "blob",
      doc: "The bytes that a base64 text in the alphabet for URLs stands for, with or without padding.",
      call: (_, source) => new RhaiBlob(fromBase64Url(source)),
    }),
  ],
};

export const hex: SdkNamespace = {
  name: "hex",
  doc: "Bytes as hexadecimal digits.",
  functions: [
    pure({
      name: "encode",
      params: [bytes("data")],
      returns: "string",
      doc: "The bytes, or the UTF-8 of a string, as lower-case digits, two a byte.",
      call: (_, data) => data.toHex(),
    }),
    pure({
      name: "decode",
      params: [text("text")],
      returns: "blob",
      doc: "The bytes that hexadecimal digits of either case stand for. Throws when the text is anything else.",
      call: (_, source) => new RhaiBlob(decoded("hexadecimal", () => Uint8Array.fromHex(source))),
    }),
  ],
};
