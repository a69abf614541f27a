import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { looksSecret, maskJson, maskMultipart, maskPairs } from "../../../src/services/executions/index.ts";

function masking(work: (text: string, onMasked: (name: string) => void) => string, text: string) {
  const names: string[] = [];
  return { text: work(text, (name) => void names.push(name)), names };
}

test.each([
  "password",
  "Password",
  "new_password",
  "user[passwd]",
  "passphrase",
  "pass",
  "userPass",
  "pwd",
  "secret",
  "client-secret",
  "token",
  "access_token",
  "refreshToken",
  "X-CSRF-Token",
  "api_key",
  "apiKey",
  "API-KEY",
  "Authorization",
  "Proxy-Authorization",
  "Cookie",
  "Set-Cookie",
  "private_key",
  "aws_access_key_id",
  "x-auth",
  "X-Amz-Signature",
  "sig",
  "credentials",
  "pin",
  "otp",
  "cvv",
  "card_number",
  "session_id",
])("%s is taken for a secret", (name) => {
  expect(looksSecret(name)).toBe(true);
});

test.each([
  "",
  "name",
  "compass",
  "bypass",
  "author",
  "authority",
  "opinion",
  "spin",
  "key",
  "id",
  "design",
  "pint",
  "content-type",
])("%p is not", (name) => {
  expect(looksSecret(name)).toBe(false);
});

describe("JSON", () => {
  test("values of secret members go, whatever they are; all else stays as it was", () => {
    const text = `{ "user": {"name":"ada", "password" : "p\\"1}" , "n": 12345678901234567890},
      "tokens": [1, {"a": "]"}], "list": [{"apiKey": 17}, {"secret":true}, {"pin":null}], "x": "password" }`;
    expect(masking(maskJson, text)).toEqual({
      text: `{ "user": {"name":"ada", "password" : "[not recorded]" , "n": 12345678901234567890},
      "tokens": "[not recorded]", "list": [{"apiKey": "[not recorded]"}, {"secret":"[not recorded]"}, {"pin":"[not recorded]"}], "x": "password" }`,
      names: ["user.password", "tokens", "list.apiKey", "list.secret", "list.pin"],
    });
  });

  test("names written with escapes are read as what they mean", () => {
    expect(masking(maskJson, `{"p\\u0061ssword":"x"}`).text).toBe(`{"p\\u0061ssword":"[not recorded]"}`);
  });

  test("what was cut off in the middle of a secret is masked to its end", () => {
    expect(masking(maskJson, `{"a":1,"password":"hunter`).text).toBe(`{"a":1,"password":"[not recorded]"`);
    expect(masking(maskJson, `{"a":1,"password":{"b":["hunter`).text).toBe(
      `{"a":1,"password":"[not recorded]"`,
    );
    expect(masking(maskJson, `{"a":1,"password":`).text).toBe(`{"a":1,"password":"[not recorded]"`);
  });

  test("valid JSON stays valid, and no secret survives anywhere in it", () => {
    const leaf = fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean());
    const secret = fc.oneof(
      fc.constant("PLANTED"),
      fc.constant({ deep: ["PLANTED", { x: 'PLANTED"}' }] }),
      fc.constant(["PLANTED]", "\\"]),
    );
    const holder = (tie: (name: string) => fc.Arbitrary<unknown>) =>
      fc
        .tuple(fc.constantFrom("password", "api_key", "Token"), secret, tie("node"))
        .map(([name, value, rest]) => ({
          first: rest,
          [name]: value,
          last: rest,
        }));
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie("node")),
        fc.dictionary(fc.string(), tie("node")),
        holder(tie),
      ),
    }));
    fc.assert(
      fc.property(tree.node, fc.constantFrom(0, 2), (value, indent) => {
        const { text } = masking(maskJson, JSON.stringify(value, null, indent));
        expect(text).not.toContain("PLANTED");
        JSON.parse(text);
      }),
      { numRuns: 300 },
    );
  });

  test("any text is taken, at a length that shows it is done in linear time", () => {
    for (const piece of ["[", "{", '"', "\\", '{"password":', '"a":', ",", '{"password":"']) {
      masking(maskJson, piece.repeat(64 * 1024));
    }
  });
});

test("parameters", () => {
  expect(masking(maskPairs, "a=1&access%5Ftoken=x%20y&b&=c&user[password]=p&q=password").text).toBe(
    "a=1&access%5Ftoken=[not recorded]&b&=c&user[password]=[not recorded]&q=password",
  );
  expect(masking(maskPairs, "").text).toBe("");
  expect(masking(maskPairs, "%E0%A4%A=1&token=%ZZ").text).toBe("%E0%A4%A=1&token=[not recorded]");
});

test("parts of a multipart form", () => {
  const form = (value: string) =>
    `--B\r\nContent-Disposition: form-data; name="user"\r\n\r\nada\r\n--B\r\nContent-Disposition: form-data; name="password"\r\nX: y\r\n\r\n${value}\r\n--B\r\nContent-Disposition: form-data; name="f"; filename="secret.txt"\r\n\r\ncontent\r\n--B--\r\n`;
  expect(masking(maskMultipart, form("hunter2\r\nsecond line"))).toEqual({
    text: form("[not recorded]"),
    names: ["password"],
  });
  for (const end of ["", "x", "\r\n", "\r\n\r\nPLANTED"]) {
    expect(masking(maskMultipart, `--B\r\nC: form-data; name="token"${end}`).text).not.toContain("PLANTED");
  }
});
