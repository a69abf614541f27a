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
      call: (_, data) => createHash("sha256").update(data).digest("hex"),
    }),
    pure({
      name: "sha1",
      params: [bytes("data")],
      returns: "string",
      doc: "SHA-1, for protocols that still ask for it; it no longer withstands forgery.",
      call: (_, data) => createHash("sha1").update(data).digest("hex"),
    }),
    pure({
      name: "hmac_sha256",
      params: [bytes("key"), bytes("data")],
      returns: "string",
      doc: "HMAC with SHA-256, as webhooks are signed with.",
      call: (_, key, data) => createHmac("sha256", key).update(data).digest("hex"),
    }),
    pure({
      name: "constant_time_eq",
      params: [bytes("a"), bytes("b")],
      returns: "bool",
      doc: "Whether two secrets are equal, in a time that does not tell where they differ.",
      call: (_, a, b) => {
        // Digests have one length, so that not even the lengths show.
        const digest = (data: Uint8Array) => createHash("sha256").update(data).digest();
        return timingSafeEqual(digest(a), digest(b)) && a.length === b.length;
      },
    }),
  ],
};
