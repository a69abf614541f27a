import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { Client, Installation, type Login, type PiCloud } from "../e2e/support/picloud.ts";

const executablePath = Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome");
if (executablePath === null) {
  process.stderr.write(
    "skipped: the dashboard is not opened in a browser, as there is no chromium on PATH\n",
  );
}

describe.skipIf(executablePath === null)("the dashboard in a browser", () => {
  let installation: Installation;
  let server: PiCloud;
  let login: Login;
  let browser: Browser;

  beforeAll(async () => {
    installation = new Installation();
    server = await installation.serve();
    if (server.login === null) throw new Error(`no first login in: ${server.output()}`);
    login = server.login;
    const saved = await new Client(server.url, login).deploy("greeting", '"hello"', "?route=/greeting");
    expect(saved.status).toBe(201);
    browser = await chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox"] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    await installation?.remove();
  }, 30_000);

  /** A page of its own session, and everything that it complains about or fetches from elsewhere. */
  async function open(width: number): Promise<{ page: Page; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width, height: 800 } });
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // That nobody is signed in yet is asked for, and reported by the browser as a failed resource.
      if (message.type() === "error" && !message.text().includes("401")) complaints.push(message.text());
    });
    page.on("request", (request) => {
      if (!request.url().startsWith(server.url)) complaints.push(`asked for ${request.url()}`);
    });
    return { page, complaints };
  }

  async function signIn(page: Page): Promise<void> {
    await page.goto(`${server.url}/admin`);
    await page.getByLabel("Username").fill(login.username);
    await page.getByLabel("Password").fill(login.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor();
  }

  test("leads to the login page, says that a password is wrong, and signs in", async () => {
    const { page, complaints } = await open(1100);
    await page.goto(`${server.url}/admin`);
    await page.waitForURL("**/admin/login");
    await page.getByLabel("Username").fill(login.username);
    await page.getByLabel("Password").fill("not this one");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Username or password is wrong.").waitFor();
    await signIn(page);
    expect(new URL(page.url()).pathname).toMatch(/^\/admin\/?$/);
    expect(complaints).toEqual([]);
  }, 30_000);

  test("shows the state, and each script with its live version and URL, which opens", async () => {
    const { page, complaints } = await open(1100);
    await signIn(page);
    await page.getByText("Healthy").waitFor();
    await page.getByText("Ready", { exact: true }).waitFor();
    const script = page.getByRole("listitem").filter({ hasText: "greeting" });
    expect(await script.getByText("v1", { exact: true }).count()).toBe(1);
    const link = await script.getByRole("link").getAttribute("href");
    expect(link).toBe(`${server.url}/greeting`);
    expect(await (await fetch(link ?? "")).text()).toBe("hello");
    expect(complaints).toEqual([]);
  }, 30_000);

  test("asks nothing of the server while it lies open, and everything again on Refresh", async () => {
    const { page } = await open(1100);
    await signIn(page);
    await page.getByText("greeting", { exact: true }).waitFor();
    await Bun.sleep(500);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await Bun.sleep(1500);
    expect(asked).toEqual([]);
    // Waited for from before the click: the answer may come at once.
    await Promise.all([
      page.waitForResponse("**/api/v1/admin/apps"),
      page.getByRole("button", { name: "Refresh" }).click(),
    ]);
    expect(asked).toContain("/readyz");
  }, 30_000);

  test("keeps nothing that a script of the page could read, and signs out", async () => {
    const { page, complaints } = await open(1100);
    await signIn(page);
    const readable = () => page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]");
    expect(await readable()).toEqual([0, 0, ""]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/admin/login");
    await page.goto(`${server.url}/admin`);
    await page.waitForURL("**/admin/login");
    expect(await page.context().cookies()).toEqual([]);
    expect(complaints).toEqual([]);
  }, 30_000);

  test("tells what scripts can use, and finds it by words", async () => {
    const { page, complaints } = await open(1100);
    await signIn(page);
    await page.getByRole("link", { name: "Reference" }).click();
    await page.getByRole("heading", { name: "Reference" }).waitFor();
    expect(await page.getByText("ctx.request.body: any").isVisible()).toBe(true);
    await page.getByLabel("Search").fill("kv integer add");
    await page.getByText("KvCollection.incr(").waitFor();
    expect(await page.getByRole("listitem").count()).toBe(1);
    await page.getByText("Example and errors").click();
    expect(await page.getByText('visits.incr("home", 10)').isVisible()).toBe(true);
    expect(await page.getByText("kv::incr: the value is not an integer").isVisible()).toBe(true);
    await page.getByLabel("Search").fill("nothing like this");
    await page.getByText("Nothing has all of these words.").waitFor();
    expect(complaints).toEqual([]);
  }, 30_000);

  test("fits a screen of 360 px", async () => {
    const { page } = await open(360);
    await page.goto(`${server.url}/admin`);
    await page.getByLabel("Username").waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    await signIn(page);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
    await page.getByRole("link", { name: "Reference" }).click();
    await page.getByRole("heading", { name: "Reference" }).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(360);
  }, 30_000);
});
