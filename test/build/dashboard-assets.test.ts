import { describe, expect, test } from "bun:test";
import { serveDashboard } from "../../src/manager/dashboard/assets.ts";

const ask = (path: string, init?: RequestInit) => serveDashboard(new Request(`http://pi:8080${path}`, init));

/** The path of the first hashed script that the shell names. */
async function hashedScript(): Promise<string> {
  const html = (await ask("/admin")?.text()) ?? "";
  return /"(\/admin\/_app\/immutable\/entry\/start\.[^"]+\.js)"/.exec(html)?.[1] ?? "none";
}

describe("the embedded dashboard", () => {
  test("leaves every path outside /admin to others", () => {
    for (const path of ["/", "/administrator", "/api/v1/admin/apps", "/adminx/y"])
      expect(ask(path)).toBeNull();
  });

  test("answers each of its pages with the shell", async () => {
    const shell = await ask("/admin")?.text();
    expect(shell).toContain("<!doctype html>");
    for (const path of ["/admin/", "/admin/login", "/admin/apps/shop/scripts"]) {
      const response = ask(path);
      expect(response?.status).toBe(200);
      expect(response?.headers.get("Content-Type")).toBe("text/html; charset=utf-8");
      expect(await response?.text()).toBe(shell);
    }
  });

  test("lets browsers keep hashed files for ever and revalidate the shell", async () => {
    const script = ask(await hashedScript());
    expect(script?.status).toBe(200);
    expect(script?.headers.get("Content-Type")).toBe("text/javascript; charset=utf-8");
    expect(script?.headers.get("Cache-Control")).toBe("public, max-age=31536000, immutable");

    const shell = ask("/admin");
    expect(shell?.headers.get("Cache-Control")).toBe("no-cache");
    const tag = shell?.headers.get("ETag") ?? "";
    for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
      expect(ask("/admin", { headers: { "If-None-Match": known } })?.status).toBe(304);
    }
    expect(ask("/admin", { headers: { "If-None-Match": '"other"' } })?.status).toBe(200);
  });

  test("does not answer a missing file with the shell", () => {
    for (const path of ["/admin/_app/immutable/entry/start.OLD.js", "/admin/logo.png", "/admin/_app/x"]) {
      expect(ask(path)?.status).toBe(404);
    }
  });

  test("serves nothing from outside the build", () => {
    for (const path of [
      "/admin/..%2f..%2fpackage.json",
      "/admin/%2e%2e/%2e%2e/etc/passwd.txt",
      "/admin//etc/x.json",
    ]) {
      expect(ask(path)?.status ?? 404).toBe(404);
    }
  });

  test("allows no inline script but the bootstrap, and no framing", async () => {
    const response = ask("/admin/login");
    const policy = response?.headers.get("Content-Security-Policy") ?? "";
    expect(policy).toMatch(/script-src 'self' 'sha256-[A-Za-z0-9+/=]+';/);
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/script-src[^;]*unsafe/);
    expect(response?.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(response?.headers.get("Referrer-Policy")).toBe("no-referrer");
    const html = (await response?.text()) ?? "";
    expect(html.match(/<script>/g)).toHaveLength(1);
    expect(html).not.toMatch(/ style=| on[a-z]+=/);
    expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  });

  test("answers HEAD without a body and refuses to be written to", async () => {
    const head = ask("/admin", { method: "HEAD" });
    expect(head?.status).toBe(200);
    expect(Number(head?.headers.get("Content-Length"))).toBeGreaterThan(500);
    expect(await head?.text()).toBe("");
    const post = ask("/admin", { method: "POST", body: "x" });
    expect(post?.status).toBe(405);
    expect(post?.headers.get("Allow")).toBe("GET, HEAD");
  });
});
