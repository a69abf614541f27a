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
      example: { source: 'base64::encode("hä")', result: '"aMOk"' },
      call: (_, data) => data.toBase64(),
    }),
    pure({
      name: "decode",
      params: [text("text")],
      returns: "blob",
      doc: "The bytes that a base64 text stands for. Throws when it is none.",
      example: { source: 'base64::decode("aMOk").len()', result: "3" },
      errors: [{ source: 'base64::decode("abc")', message: "base64::decode: the text is not valid base64" }],
      call: (_, source) => new RhaiBlob(fromBase64(source)),
    }),
    pure({
      name: "decode_string",
      params: [text("text")],
      returns: "string",
      doc: "The text that a base64 text stands for. Throws when it is none, or its bytes are not valid UTF-8.",
      example: { source: 'base64::decode_string("aMOk")', result: '"hä"' },
      errors: [
        {
          source: 'base64::decode_string("abc")',
          message: "base64::decode_string: the text is not valid base64",
        },
        {
          source: 'base64::decode_string("//8=")',
          message:
            "base64::decode_string: the decoded bytes are not valid UTF-8; decode them to a blob instead",
        },
      ],
      call: (_, source) => textOf(fromBase64(source)),
    }),
    pure({
      name: "encode_url",
      params: [bytes("data")],
      returns: "string",
      doc: "Base64 in the alphabet for URLs and file names, without padding.",
      example: { source: "base64::encode_url(blob(2, 255))", result: '"__8"' },
      call: (_, data) => data.toBase64({ alphabet: "base64url", omitPadding: true }),
    }),
    pure({
      name: "decode_url",
      params: [text("text")],
      returns: "blob",
      doc: "The bytes that a base64 text in the alphabet for URLs stands for, with or without padding.",
      example: { source: 'base64::decode_url("__8") == blob(2, 255)', result: "true" },
      errors: [
        {
          source: 'base64::decode_url("//8")',
          message: "base64::decode_url: the text is not valid base64url",
        },
      ],
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
      example: { source: 'hex::encode("hä")', result: '"68c3a4"' },
      call: (_, data) => data.toHex(),
    }),
    pure({
      name: "decode",
      params: [text("text")],
      returns: "blob",
      doc: "The bytes that hexadecimal digits of either case stand for. Throws when the text is anything else.",
      example: { source: 'hex::decode("68C3A4").as_string()', result: '"hä"' },
      errors: [{ source: 'hex::decode("abc")', message: "hex::decode: the text is not valid hexadecimal" }],
      call: (_, source) => new RhaiBlob(decoded("hexadecimal", () => Uint8Array.fromHex(source))),
    }),
  ],
};
