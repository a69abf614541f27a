import { expect, test } from "bun:test";
import { base32 } from "../../src/services/identity/base32.ts";

const text = (plain: string): string => base32(new TextEncoder().encode(plain));

test("the examples of RFC 4648, without their padding", () => {
  const examples = {
    f: "MY",
    fo: "MZXQ",
    foo: "MZXW6",
    foob: "MZXW6YQ",
    fooba: "MZXW6YTB",
    foobar: "MZXW6YTBOI",
  };
  for (const [plain, encoded] of Object.entries(examples)) expect(text(plain)).toBe(encoded);
  expect(text("")).toBe("");
});

test("32 bytes are 52 characters, each bit in its place", () => {
  expect(base32(new Uint8Array(32))).toBe("A".repeat(52));
  expect(base32(new Uint8Array(32).fill(255))).toBe(`${"7".repeat(51)}Q`);
});
