/** What the browser keeps for the page fails, is full or is cleared by its user: all goes on, no change is lost, and what is kept is never half of it. */
import { expect, test } from "bun:test";
import {
  newProject,
  type Page,
  quickAdd,
  register,
  saved,
  signedIn,
  titlesIn,
  visitor,
  visitorWithoutStorage,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { temporaryFolder } from "../system/server.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
type Tasks = { items: { id: string; title: string }[] };

const shows = (page: Page, titles: readonly string[]) =>
  poll(`it shows ${titles.join(", ")}`, waitMs, async () => {
    const shown = await titlesIn(page, "To do");
    return JSON.stringify(shown.toSorted()) === JSON.stringify(titles.toSorted());
  });

const workerIsThere = (page: Page) => page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

/** As a browser does that is asked to forget a site. */
const clearStorage = (page: Page) =>
  page.evaluate(async () => {
    for (const { name } of await indexedDB.databases())
      await new Promise((resolve) => {
        const removing = indexedDB.deleteDatabase(name ?? "");
        removing.onsuccess = resolve;
        removing.onerror = resolve;
      });
  });

await describePage("the page and the browser's own store", {}, ({ chromium, system }) => {
  test("works from memory in each tab where there is none, and says so", async () => {
    const { page, context, faults } = await visitor(chromium, `${system.url}/`, {
      before: async (first) => {
        await first.context().addInitScript(() => {
          IDBFactory.prototype.open = () => {
            throw new DOMException("Internal error opening backing store", "UnknownError");
          };
        });
      },
    });
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "First");
    await saved(page);
    await page.getByText("This browser keeps nothing").waitFor();
    const tab = await context.newPage();
    tab.on("pageerror", (error) => faults.push(error.message));
    await tab.goto(page.url());
    await tab.getByRole("region", { name: "To do" }).waitFor();
    await quickAdd(tab, "Second");
    await saved(tab);
    const send = await signedIn(system.url, account);
    const { items } = await send<Tasks>("GET", "/v1/tasks");
    expect(items.map(({ title }) => title).toSorted()).toEqual(["First", "Second"]);
    for (const each of [page, tab]) await shows(each, ["First", "Second"]);
    expect(faults).toEqual([]);
    await context.close();
  }, 240_000);

  test("works, and says so, where its user has forbidden pages to keep anything", async () => {
    const { page, context, faults } = await visitorWithoutStorage(temporaryFolder(), `${system.url}/`);
    expect(
      await page.evaluate(() => {
        try {
          return localStorage.length;
        } catch (error) {
          return (error as Error).name;
        }
      }),
    ).toBe("SecurityError");
    await page.getByText("This browser may keep nothing").waitFor();
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "First");
    await saved(page);
    await page.getByText("This browser keeps nothing").waitFor();
    const send = await signedIn(system.url, account);
    const { items } = await send<Tasks>("GET", "/v1/tasks");
    await send("PATCH", `/v1/tasks/${items[0]?.id}`, { title: "Changed elsewhere" });
    await shows(page, ["Changed elsewhere"]);
    await page.locator("body").press("Control+k");
    await page.keyboard.type("switch between light");
    await page.keyboard.press("Enter");
    await page.locator("html[data-theme=dark]").waitFor();
    expect(faults).toEqual([]);
    await context.close();
  }, 240_000);

  test("keeps all again after its user has cleared it while the page was open, waiting changes too", async () => {
    const { page, context, faults } = await visitor(chromium, `${system.url}/`);
    await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "First");
    await saved(page);
    await workerIsThere(page);
    await clearStorage(page);
    await quickAdd(page, "Second");
    await saved(page);
    await context.setOffline(true);
    await page.reload();
    await shows(page, ["First", "Second"]);
    await quickAdd(page, "Third");
    await page.getByText("Offline, 1 waiting").waitFor();
    await clearStorage(page);
    await quickAdd(page, "Fourth");
    await page.getByText("Offline, 2 waiting").waitFor();
    await page.reload();
    await page.getByText("Offline, 2 waiting").waitFor();
    await context.setOffline(false);
    await saved(page);
    await shows(page, ["First", "Second", "Third", "Fourth"]);
    expect(faults).toEqual([]);
    await context.close();
  }, 240_000);

  test("has no gap after a moment in which the disk was full", async () => {
    const { page, context, faults } = await visitor(chromium, `${system.url}/`, {
      before: async (first) => {
        await first.addInitScript(() => {
          const put = IDBObjectStore.prototype.put;
          IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...given: [unknown, IDBValidKey?]) {
            if (sessionStorage.getItem("full") !== null)
              throw new DOMException("The disk is full", "QuotaExceededError");
            return put.apply(this, given);
          };
        });
      },
    });
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    for (const title of ["First", "Second"]) await quickAdd(page, title);
    await saved(page);
    await workerIsThere(page);
    const send = await signedIn(system.url, account);
    const { items } = await send<Tasks>("GET", "/v1/tasks");
    const rename = async (from: string, to: string) =>
      await send("PATCH", `/v1/tasks/${items.find(({ title }) => title === from)?.id}`, { title: to });
    await page.evaluate(() => sessionStorage.setItem("full", "yes"));
    await rename("First", "Changed");
    await shows(page, ["Changed", "Second"]);
    await page.getByText("This browser keeps nothing").waitFor();
    await page.evaluate(() => sessionStorage.removeItem("full"));
    await rename("Second", "Later");
    await shows(page, ["Changed", "Later"]);
    await page.getByText("This browser keeps nothing").waitFor({ state: "detached" });
    await context.setOffline(true);
    await page.reload();
    await shows(page, ["Changed", "Later"]);
    expect(faults).toEqual([]);
    await context.close();
  }, 240_000);
});
