/** Who is signed in changes, or is told late: nothing of the one before stays or comes after, and what could not be read is read again. */
import { expect, test } from "bun:test";
import {
  type Account,
  columnOf,
  expectNoFaults,
  newProject,
  type Page,
  register,
  signedIn,
  signIn,
  signOut,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const refused = (status: number, code: string) => ({
  status,
  contentType: "application/problem+json",
  headers: { "retry-after": "1" },
  body: JSON.stringify({ code, status, title: code, detail: code }),
});

await describePage("the page when people come and go", {}, ({ chromium, system }) => {
  async function withProject(name: string): Promise<Account> {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, name);
    await context.close();
    return account;
  }

  test("reads a space again when the server could not give it, though nothing new happens in it", async () => {
    const account = await withProject("Launch");
    let refusals = 0;
    const before = async (page: Page): Promise<void> => {
      await page.route(/\/snapshot\?/, async (route) => {
        refusals += 1;
        await (refusals > 2 ? route.continue() : route.fulfill(refused(503, "read-model-unavailable")));
      });
    };
    const again = await visitor(chromium, `${system.url}/`, { before });
    await signIn(again.page, account);
    await again.page.getByRole("link", { name: "Launch" }).waitFor();
    expect(refusals).toBeGreaterThan(2);
    expectNoFaults(again);
  }, 180_000);

  test("reads a task again that a fact does not tell, when the server could not give it", async () => {
    const account = await withProject("Launch");
    const send = await signedIn(system.url, account);
    const { items } = await send<{ items: { id: string }[] }>("GET", "/v1/projects");
    const { id } = await send<{ id: string }>("POST", "/v1/tasks", { title: "Back", projectId: items[0]?.id });
    await send("DELETE", `/v1/tasks/${id}`);
    const again = await visitor(chromium, `${system.url}/`);
    const { page } = again;
    await signIn(page, account);
    await page.getByRole("link", { name: "Launch" }).click();
    let refusals = 0;
    await page.route(new RegExp(`/tasks/${id}$`), async (route) => {
      refusals += 1;
      await (refusals > 2 ? route.continue() : route.fulfill(refused(503, "overloaded")));
    });
    await send("POST", `/v1/tasks/${id}/restore`);
    await columnOf(page, "To do").getByText("Back").waitFor();
    expect(refusals).toBeGreaterThan(2);
    expectNoFaults(again);
    await page.reload();
    await columnOf(page, "To do").getByText("Back").waitFor();
  }, 180_000);

  test("hears nothing more once somebody signed out, though the server does not know it yet; the next one has a stream of their own", async () => {
    const account = await withProject("Launch");
    const other = await withProject("Garden");
    const { page } = await visitor(chromium, `${system.url}/`);
    const heard: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/v1/events")) heard.push("begun");
    });
    page.on("requestfailed", (request) => {
      if (request.url().includes("/v1/events")) heard.push("cut");
    });
    await signIn(page, account);
    await page.getByRole("link", { name: "Launch" }).waitFor();
    await page.route(/\/v1\/auth\/logout/, (route) => route.abort());
    await signOut(page);
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await poll("the stream is cut", waitMs, () => heard.join(" ") === "begun cut");
    await signIn(page, other);
    await page.getByRole("link", { name: "Garden" }).waitFor();
    expect(await page.getByRole("link", { name: "Launch" }).count()).toBe(0);
    await poll("another one has begun", waitMs, () => heard.join(" ") === "begun cut begun");
  }, 180_000);

  test("is the next one's in all tabs, and still after a reload", async () => {
    const account = await withProject("Launch");
    const other = await withProject("Garden");
    const { page, context } = await visitor(chromium, `${system.url}/`);
    await signIn(page, account);
    const tab = await context.newPage();
    await tab.goto(`${system.url}/`);
    const pages = [page, tab];
    const shows = (name: string) => Promise.all(pages.map((each) => each.getByRole("link", { name }).waitFor()));
    await shows("Launch");
    await signOut(tab);
    await Promise.all(pages.map((each) => each.getByRole("heading", { name: "Welcome back" }).waitFor()));
    await signIn(tab, other);
    await shows("Garden");
    await newProject(tab, "Orchard");
    await shows("Orchard");
    for (const each of pages) await each.reload();
    await shows("Garden");
    await shows("Orchard");
    for (const each of pages) expect(await each.getByRole("link", { name: "Launch" }).count()).toBe(0);
  }, 180_000);

  test("stays signed in when a renewal that was asked for by the one before is refused late", async () => {
    const account = await withProject("Launch");
    const { page, context } = await visitor(chromium, `${system.url}/`);
    await signIn(page, account);
    await page.getByRole("link", { name: "Launch" }).waitFor();
    const tab = await context.newPage();
    let refuse: () => void = () => undefined;
    const late = new Promise<void>((resolve) => {
      refuse = resolve;
    });
    let isAsked = false;
    await tab.route(/\/v1\/auth\/refresh/, async (route) => {
      isAsked = true;
      await late;
      await route.fulfill(refused(401, "unauthenticated"));
    });
    await tab.goto(`${system.url}/`);
    await poll("the tab asks for a token", waitMs, () => isAsked);
    await signOut(page);
    await tab.getByRole("heading", { name: "Welcome back" }).waitFor();
    await signIn(tab, account);
    // The other tab hears the stream for both: it is signed in with this one.
    await tab.getByRole("link", { name: "Launch" }).waitFor();
    await page.getByRole("link", { name: "Launch" }).waitFor();
    const told = tab.waitForResponse(/\/v1\/auth\/refresh/);
    refuse();
    await told;
    await tab.unroute(/\/v1\/auth\/refresh/);
    await newProject(tab, "After");
    expect(await tab.getByRole("heading", { name: "Welcome back" }).count()).toBe(0);
  }, 180_000);
});
