import { describe, expect, test } from "bun:test";
import {
  clientAddress,
  requestOrigin,
  throttleAddress,
  trustedProxies,
} from "../../src/services/identity/client-address.ts";

const proxies = trustedProxies(["127.0.0.1", "::1", "10.0.0.0/8", "nonsense", "10.0.0.0/99"]);
const from = (peer: string, chain?: string) =>
  clientAddress(new Headers(chain === undefined ? {} : { "x-forwarded-for": chain }), peer, proxies);

describe("the client's address", () => {
  test("is the peer's, unless that is a trusted proxy", () => {
    expect(from("203.0.113.9", "198.51.100.1")).toBe("203.0.113.9");
    expect(from("127.0.0.1", "198.51.100.1")).toBe("198.51.100.1");
    expect(from("::ffff:127.0.0.1", "198.51.100.1")).toBe("198.51.100.1");
    expect(from("::1", "2001:db8::7")).toBe("2001:db8::7");
    expect(from("127.0.0.1")).toBe("127.0.0.1");
  });

  test("is the last one that no trusted proxy could have made up", () => {
    expect(from("10.1.2.3", "1.1.1.1, 198.51.100.1, 10.9.9.9")).toBe("198.51.100.1");
    expect(from("127.0.0.1", "forged, 198.51.100.1")).toBe("198.51.100.1");
    expect(from("127.0.0.1", "198.51.100.1, forged")).toBe("127.0.0.1");
    expect(from("127.0.0.1", "")).toBe("127.0.0.1");
  });

  test("is told from the port that some proxies write behind it", () => {
    expect(from("127.0.0.1", "198.51.100.1:5000")).toBe("198.51.100.1");
    expect(from("127.0.0.1", "[2001:db8::7]:5000, 10.9.9.9:443")).toBe("2001:db8::7");
    expect(from("127.0.0.1", "[::ffff:198.51.100.1]")).toBe("198.51.100.1");
    expect(from("127.0.0.1", "198.51.100.1:")).toBe("127.0.0.1");
  });
});

describe("the origin", () => {
  const origin = (headers: Record<string, string>, peer: string, url = "http://pi:8080/x") =>
    requestOrigin(new Request(url, { headers }), peer, proxies);

  test("is what the client wrote, or what a trusted proxy says", () => {
    expect(origin({ host: "pi:8080" }, "203.0.113.9")).toBe("http://pi:8080");
    const forwarded = { host: "inner:1", "x-forwarded-host": "pi.example.com", "x-forwarded-proto": "https" };
    expect(origin(forwarded, "127.0.0.1")).toBe("https://pi.example.com");
    expect(origin(forwarded, "203.0.113.9")).toBe("http://inner:1");
  });

  test("is always an address, whatever the Host header holds", () => {
    for (const host of ["a b", "<script>", "]:", "x/../y"]) {
      expect(URL.canParse(origin({ "x-forwarded-host": host }, "127.0.0.1"))).toBe(true);
    }
  });
});

test("throttling counts IPv4 addresses and IPv6 networks", () => {
  expect(throttleAddress("203.0.113.9")).toBe("203.0.113.9");
  expect(throttleAddress("2001:db8:1:2:3:4:5:6")).toBe("2001:db8:1:2::/64");
  expect(throttleAddress("2001:db8:1:2::1")).toBe("2001:db8:1:2::/64");
  expect(throttleAddress("2001:db8::1")).toBe(throttleAddress("2001:db8::2"));
});
