import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { pure, type SdkNamespace } from "../define.ts";
import { bytes } from "../params.ts";

export const hash: SdkNamespace = {
  name: "hash",
  doc: "Digests of bytes or of the UTF-8 of strings, as lower-case hexadecimal digits.",
  functions: [
    pure({
      name: "sha256",
      params: [bytes("data")],
      returns: "string",
      doc: "SHA-256.",
      example: {
        source: 'hash::sha256("abc")',
        result: '"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"',
      },
      call: (_, data) => createHash("sha256").update(data).digest("hex"),
    }),
    pure({
      name: "sha1",
      params: [bytes("data")],
      returns: "string",
      doc: "SHA-1, for protocols that still ask for it; it no longer withstands forgery.",
      example: { source: 'hash::sha1("abc")', result: '"a9993e364706816aba3e25717850c26c9cd0d89d"' },
      call: (_, data) => createHash("sha1").update(data).digest("hex"),
    }),
    pure({
      name: "hmac_sha256",
      params: [bytes("key"), bytes("data")],
      returns: "string",
      doc: "HMAC with SHA-256, as webhooks are signed with.",
      example: {
        source: 'hash::hmac_sha256("key", "message")',
        result: '"6e9ef29b75fffc5b7abae527d58fdadb2fe42e7219011976917343065f58ed4a"',
      },
      call: (_, key, data) => createHmac("sha256", key).update(data).digest("hex"),
    }),
    pure({
      name: "constant_time_eq",
      params: [bytes("a"), bytes("b")],
      returns: "bool",
      doc: "Whether two secrets are equal, in a time that does not tell where they differ.",
      example: {
        source: 'hash::constant_time_eq(hash::hmac_sha256("key", "a"), hash::hmac_sha256("key", "b"))',
        result: "false",
      },
      call: (_, a, b) => {
        // Digests have one length, so that not even the lengths show.
        const digest = (data: Uint8Array) => createHash("sha256").update(data).digest();
        return timingSafeEqual(digest(a), digest(b)) && a.length === b.length;
      },
    }),
  ],
};
