/** A real browser for tests of the page: Debian's chromium, installed where it is missing and may be. */
import { expect } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { debianPackages } from "../../deploy/services/install.ts";
import type { Missing } from "./services.ts";

export type { Browser, Page } from "playwright-core";

/** As root, and in most containers, its own sandbox cannot start; it opens nothing but our own page. */
const args = ["--no-sandbox", "--disable-dev-shm-usage"];
const launchDeadlineMs = 120_000;
/** Of one step of a test. */
export const stepMs = 30_000;
const savedMs = 120_000;

let launched: Promise<{ browser: Browser } | Missing> | undefined;

/** With `CI=true` it is an error when it cannot be had. */
export function browser(): Promise<{ browser: Browser } | Missing> {
  launched ??= launch();
  return launched;
}

async function launch(): Promise<{ browser: Browser } | Missing> {
  try {
    if (Bun.which("chromium") === null) await debianPackages(["chromium"], () => undefined);
    const executablePath = Bun.which("chromium") ?? "/usr/bin/chromium";
    return { browser: await chromium.launch({ executablePath, args, timeout: launchDeadlineMs }) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    if (process.env.CI === "true") throw new Error(`Cannot test the page: ${reason}`);
    return { missing: `chromium: ${reason}` };
  }
}

export async function closeBrowser(): Promise<void> {
  const had = await launched;
  launched = undefined;
  if (had !== undefined && "browser" in had) await had.browser.close();
}

export type Visitor = {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the browser complained of, and requests to elsewhere. */
  readonly faults: string[];
};

/** A browser of its own kind: other cookies, other storage. */
export async function visitor(
  of: Browser,
  url: string,
  options: { isDark?: boolean; isNarrow?: boolean; locale?: string; before?: (page: Page) => Promise<void> } = {},
): Promise<Visitor> {
  const { isDark = false, isNarrow = false, locale = "en-GB" } = options;
  const context = await of.newContext({
    viewport: isNarrow ? { width: 390, height: 800 } : { width: 1360, height: 850 },
    colorScheme: isDark ? "dark" : "light",
    hasTouch: isNarrow,
    locale,
  });
  context.setDefaultTimeout(stepMs);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    // A browser that is offline says so of each request.
    if (["error", "warning"].includes(message.type()) && !/ERR_INTERNET_DISCONNECTED|status of/.test(message.text()))
      faults.push(message.text());
  });
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(url).origin)) faults.push(`asked ${request.url()}`);
  });
  await options.before?.(page);
  await page.goto(url);
  return { page, context, faults };
}

/** One whose user has forbidden all pages to keep anything: no cookies, and with them no other storage. To be closed by its context. */
export async function visitorWithoutStorage(folder: string, url: string): Promise<Visitor> {
  mkdirSync(join(folder, "Default"), { recursive: true });
  const settings = { profile: { default_content_setting_values: { cookies: 2 } } };
  writeFileSync(join(folder, "Default", "Preferences"), JSON.stringify(settings));
  return await visitorOfItsOwn(folder, url, []);
}

/** One for whom this machine is another one, which it reaches without TLS. */
export async function visitorFromElsewhere(folder: string, url: string): Promise<Visitor> {
  const { hostname } = new URL(url);
  return await visitorOfItsOwn(folder, url, [`--host-resolver-rules=MAP ${hostname} 127.0.0.1`]);
}

async function visitorOfItsOwn(folder: string, url: string, more: readonly string[]): Promise<Visitor> {
  const executablePath = Bun.which("chromium") ?? "/usr/bin/chromium";
  const context = await chromium.launchPersistentContext(folder, {
    executablePath,
    args: [...args, ...more],
    timeout: launchDeadlineMs,
    locale: "en-GB",
  });
  context.setDefaultTimeout(stepMs);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(url);
  return { page, context, faults };
}

let registered = 0;

export async function register(page: Page, name: string): Promise<Account> {
  registered += 1;
  const [email, password] = [
    `${name.toLowerCase().replace(/[^a-z]/g, "")}-${process.pid}-${registered}@example.com`,
    "correct horse battery",
  ];
  const toRegister = page.getByRole("button", { name: "Create account" });
  if ((await page.getByLabel("Your name").count()) === 0) await toRegister.click();
  await page.getByLabel("Your name").fill(name);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.locator("form button[type=submit]").click();
  await page.locator(".sidebar").waitFor({ state: "attached" });
  return { email, password };
}

export type Account = { readonly email: string; readonly password: string };

/** On a page that asks for it. */
export async function signIn(page: Page, { email, password }: Account): Promise<void> {
  await page.locator("input[name=email]").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.locator("form button[type=submit]").click();
  await page.locator(".sidebar").waitFor({ state: "attached" });
}

export async function signOut(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
}

export async function newSpace(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: /^Spaces/ }).click();
  await page.getByRole("menuitem", { name: "New space" }).click();
  await page.getByLabel("Space name").fill(name);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("button", { name: `Spaces: ${name}` }).waitFor();
}

export async function newProject(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "New project" }).click();
  await page.getByLabel("Project name").fill(name);
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByRole("region", { name: "To do" }).waitFor();
}

/** By the key `c`, as one line. `name`: the field's, in the page's language. */
export async function quickAdd(page: Page, text: string, name = "What needs to be done?"): Promise<void> {
  await page.locator("body").press("c");
  const line = page.getByRole("dialog").getByLabel(name);
  await line.fill(text);
  await line.press("Enter");
  await page.getByRole("dialog").waitFor({ state: "detached" });
}

/** The same person by another way than the page: requests with a token of their own. */
export async function signedIn(
  url: string,
  account: Account,
): Promise<<Body>(method: string, path: string, body?: unknown) => Promise<Body>> {
  const send = async <Body>(method: string, path: string, body?: unknown, token?: string): Promise<Body> => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.status, `${method} ${path}: ${text}`).toBeLessThan(300);
    return (text === "" ? undefined : JSON.parse(text)) as Body;
  };
  const { accessToken } = await send<{ accessToken: string }>("POST", "/v1/auth/login", account);
  return (method, path, body) => send(method, path, body, accessToken);
}

export const columnOf = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

export async function titlesIn(page: Page, column: string): Promise<string[]> {
  return await columnOf(page, column).locator(".card-title").allTextContents();
}

/** All that was done is at the server: many changes go there one after the other, each with a verdict. */
export async function saved(page: Page): Promise<void> {
  await page.getByText("All changes saved").waitFor({ state: "attached", timeout: savedMs });
}

export function expectNoFaults({ faults }: Visitor): void {
  expect(faults).toEqual([]);
}
