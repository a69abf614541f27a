import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { Installation, type PiCloud } from "../e2e/support/picloud.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome");
if (executablePath === null) {
  process.stderr.write(
    "skipped: the page of the API is not opened in a browser, as there is no chromium on PATH\n",
  );
}

describe.skipIf(executablePath === null)("the page of the API in a browser", () => {
  let installation: Installation;
  let server: PiCloud;
  let browser: Browser;

  beforeAll(async () => {
    installation = new Installation();
    server = await installation.serve();
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await installation?.remove();
  }, 30_000);

  /** The page, and everything that it complains about or fetches from elsewhere. */
  async function open(
    options: { readonly width?: number; readonly dark?: boolean; readonly hash?: string } = {},
  ): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({
      viewport: { width: options.width ?? 1100, height: 800 },
      colorScheme: options.dark === true ? "dark" : "light",
    });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.location().url.endsWith("/favicon.ico"))
        complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`asked for ${request.url()}`);
    });
    await page.goto(`${server.url}/api/v1/docs${options.hash ?? ""}`);
    return { page, complaints };
  }

  const shown = (page: Page) => page.locator("details.operation:visible").count();

  test("needs no login and nothing from elsewhere, and shows every operation", async () => {
    const { page, complaints } = await open();
    await page.getByRole("heading", { name: "PiCloud API" }).waitFor();
    const { paths } = (await (await fetch(`${server.url}/api/v1/openapi.json`)).json()) as {
      paths: Record<string, object>;
    };
    expect(await shown(page)).toBe(Object.values(paths).flatMap((item) => Object.keys(item)).length);
    expect(complaints).toEqual([]);
  }, 30_000);

  test("is searched by method, path and words", async () => {
    const { page, complaints } = await open();
    await page.getByRole("searchbox", { name: "Search" }).fill("post members");
    expect(await shown(page)).toBe(1);
    await page.getByText("Makes a user a member of an app").waitFor();
    expect(await page.getByRole("heading", { name: "apps", exact: true }).isVisible()).toBe(false);
    expect(await page.getByRole("status").textContent()).toMatch(/^1 of \d+ operations$/);
    await page.getByRole("searchbox").fill("");
    expect(await shown(page)).toBeGreaterThan(30);
    expect(complaints).toEqual([]);
  }, 30_000);

  test("is used with the keyboard alone", async () => {
    const { page } = await open();
    await page.keyboard.press("/");
    await page.keyboard.type("patch members");
    await page.keyboard.press("Tab");
    // The links of the groups stand between the search and the operations.
    for (let tries = 0; tries < 40; tries++) {
      if ((await page.evaluate("document.activeElement.tagName")) === "SUMMARY") break;
      await page.keyboard.press("Tab");
    }
    await page.keyboard.press("Enter");
    const operation = page.locator("#patchAppsByAppMembersByUserId");
    expect(await operation.getAttribute("open")).toBe("");
    expect(await operation.textContent()).toContain("curl -X PATCH");
  }, 30_000);

  test("opens what a link leads to", async () => {
    const { page } = await open({ hash: "#getApps" });
    expect(await page.locator("#getApps").getAttribute("open")).toBe("");
    await page.locator("#getApps").getByRole("link", { name: "App", exact: true }).click();
    expect(await page.locator("#schema-App").getAttribute("open")).toBe("");
  }, 30_000);

  test("fits a screen of 360 px with everything open, and follows the system into the dark", async () => {
    const { page } = await open({ width: 360, dark: true });
    await page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    expect(await page.evaluate("getComputedStyle(document.body).backgroundColor")).toBe("rgb(17, 17, 22)");
  }, 30_000);
});
