/** Tasks that were completed long ago are in no snapshot: a browser that has never had them reads them when they are opened. */
import { expect, test } from "bun:test";
import { expectNoFaults, newProject, register, saved, signedIn, signIn, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 30_000;
const dayMs = 86_400_000;

await describePage("a task that was completed long ago", {}, ({ chromium, system }) => {
  test("opens by its link, with what it is part of and what is part of it, and one that does not exist says so", async () => {
    const first = await visitor(chromium, `${system.url}/`);
    const account = await register(first.page, "Ada");
    await newProject(first.page, "Launch");
    await saved(first.page);
    await first.context.close();
    const send = await signedIn(system.url, account);
    const { id: spaceId } = await send<{ id: string }>("GET", "/v1/auth/me");
    const [whole, part, piece] = [0, 1, 2].map(() => crypto.randomUUID());
    const longAgo = (days: number) => new Date(Date.now() - days * dayMs).toISOString();
    const created = (id: string | undefined, body: Record<string, unknown>) => ({
      type: "task",
      id,
      kind: "create",
      body: { ...body, status: "done", createdAt: longAgo(200), completedAt: longAgo(100) },
    });
    await send("POST", "/v1/batch", {
      import: true,
      changes: [
        created(whole, { title: "The whole" }),
        created(part, { title: "A part", parentId: whole }),
        created(piece, { title: "A piece", parentId: part }),
      ],
    });
    await send("POST", "/v1/comments", { taskId: part, body: "A word on it" });

    const ada = await visitor(chromium, `${system.url}/`);
    const { page, context } = ada;
    await signIn(page, account);
    await page.getByRole("link", { name: "List", exact: true }).click();
    await page.getByRole("checkbox", { name: "Show completed" }).check();
    await page.getByText("Tasks completed more than 90 days ago may not be listed").waitFor();
    expect(await page.locator(".task-row").count()).toBe(0);
    const open = (task: string | undefined, space = spaceId) =>
      page.evaluate((to) => {
        location.hash = to;
      }, `#/s/${spaceId}/list?task=${space}:${task}`);
    const panel = page.getByRole("complementary");
    const title = panel.getByRole("textbox", { name: "Title" });
    const isTitled = (text: string) =>
      poll(`${text} is open`, waitMs, async () => (await title.count()) === 1 && (await title.inputValue()) === text);
    const nowhere = panel.getByText("This does not exist, or you cannot see it.");

    const path = new RegExp(`/tasks/${part}$`);
    const { promise: seen, resolve: isSeen } = Promise.withResolvers<void>();
    let asked = 0;
    await page.route(path, async (route) => {
      asked += 1;
      if (asked > 1) return await route.continue();
      await seen;
      await route.fulfill({ status: 503, body: "" });
    });
    await open(part);
    await poll("it is asked for", waitMs, () => asked > 0);
    await panel.getByText("Loading…").waitFor();
    expect(await nowhere.count()).toBe(0);
    isSeen();
    await isTitled("A part");
    await page.unroute(path);
    await panel.getByText("A word on it").waitFor();
    await panel.getByText("1/1").waitFor();
    await panel.getByRole("link", { name: "A piece" }).click();
    await isTitled("A piece");
    await panel.getByRole("link", { name: "A part" }).click();
    await isTitled("A part");
    await panel.getByRole("link", { name: "The whole" }).click();
    await isTitled("The whole");
    // It is as any other one from now on: its changes show at once, and others' come here.
    await panel.getByRole("button", { name: "Mark “The whole” as not done" }).click();
    await saved(page);
    await send("PATCH", `/v1/tasks/${whole}`, { title: "Renamed elsewhere" });
    await isTitled("Renamed elsewhere");
    await page.reload();
    await isTitled("Renamed elsewhere");

    await open(crypto.randomUUID());
    await nowhere.waitFor();
    await open(part, crypto.randomUUID());
    await nowhere.waitFor();
    await open("..");
    await nowhere.waitFor();
    expectNoFaults(ada);
    await context.close();
  }, 180_000);

  test("leaves the browser at the next start, and comes back when it is open again", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page, context } = ada;
    const account = await register(page, "Cora");
    await newProject(page, "Launch");
    await saved(page);
    const send = await signedIn(system.url, account);
    const { id: spaceId } = await send<{ id: string }>("GET", "/v1/auth/me");
    const [whole, part] = [0, 1].map(() => crypto.randomUUID());
    const at = new Date(Date.now() - 100 * dayMs).toISOString();
    const done = { status: "done", createdAt: at, completedAt: at };
    await send("POST", "/v1/batch", {
      import: true,
      changes: [
        { type: "task", id: whole, kind: "create", body: { title: "The whole" } },
        { type: "task", id: part, kind: "create", body: { title: "A part", parentId: whole, ...done } },
      ],
    });
    await send("POST", "/v1/comments", { taskId: part, body: "A word on it" });
    const keptIds = () =>
      page.evaluate(async () => {
        const [first] = await indexedDB.databases();
        return await new Promise<string[]>((resolve) => {
          const opening = indexedDB.open(first?.name ?? "");
          opening.onsuccess = () => {
            const reading = opening.result.transaction("documents").objectStore("documents").getAll();
            reading.onsuccess = () => {
              opening.result.close();
              resolve(reading.result.map(({ id, fields }) => (fields.taskId as string | undefined) ?? id));
            };
          };
        });
      });
    const isKept = (is: boolean) =>
      poll(`it is ${is ? "" : "not "}kept`, waitMs, async () => (await keptIds()).includes(part as string) === is);
    const panel = page.getByRole("complementary");

    await page.goto(`${system.url}/#/s/${spaceId}/list?task=${spaceId}:${whole}`);
    await panel.getByText("1/1").waitFor();
    await panel.getByRole("link", { name: "A part" }).click();
    await panel.getByText("A word on it").waitFor();
    await isKept(true);
    await page.goto(`${system.url}/#/s/${spaceId}/list`);
    await page.reload();
    await isKept(false);
    expect(await keptIds()).toContain(whole as string);

    const tab = await context.newPage();
    await tab.goto(page.url());
    const rows = [page, tab].map((each) => each.locator(".row-title", { hasText: "A part" }));
    for (const each of [page, tab]) await each.getByText("The whole").first().waitFor();
    for (const row of rows) expect(await row.count()).toBe(0);
    await send("PATCH", `/v1/tasks/${part}`, { status: "todo" });
    for (const row of rows) await row.waitFor();
    await isKept(true);
    expectNoFaults(ada);
    await context.close();
  }, 180_000);

  test("is found on the server, where the palette, a board or a list say that it may be missing", async () => {
    const first = await visitor(chromium, `${system.url}/`);
    const account = await register(first.page, "Bob");
    await newProject(first.page, "House");
    await saved(first.page);
    await first.context.close();
    const send = await signedIn(system.url, account);
    const created = (title: string, daysAgo: number) => {
      const at = new Date(Date.now() - daysAgo * dayMs).toISOString();
      return { type: "task", kind: "create", body: { title, status: "done", createdAt: at, completedAt: at } };
    };
    const old = ["Paint the old fence", "Paint the old gate"].map((title) => created(title, 100));
    await send("POST", "/v1/batch", { import: true, changes: old });
    // More than a page of those that the browser has, and that changed later.
    const known = Array.from({ length: 120 }, (_, place) => created(`Paint stone ${place}`, 1));
    await send("POST", "/v1/batch", { import: true, changes: known });

    const bob = await visitor(chromium, `${system.url}/`);
    const { page, context } = bob;
    await signIn(page, account);
    await page.getByRole("link", { name: "House", exact: true }).click();
    const palette = page.getByRole("dialog", { name: "Command palette" });
    const option = (name: string) => palette.getByRole("option", { name });
    const words = palette.getByRole("combobox");
    const toServer = option("Search tasks completed more than 90 days ago");
    await page.locator("body").press("Control+k");
    await words.fill("pain");
    await option("Paint stone").first().waitFor();
    expect(await option("Paint the old").count()).toBe(0);
    await page.route("**/v1/me/tasks?*", (route) => route.abort());
    await toServer.click();
    await palette.getByText("The server cannot be reached.").waitFor();
    await page.unroute("**/v1/me/tasks?*");
    await toServer.click();
    await option("Paint the old gate").waitFor();
    await option("Paint the old fence").waitFor();
    expect(await toServer.count()).toBe(0);
    await words.fill("hammer");
    await palette.getByText("Nothing found").waitFor();
    await words.press("Enter");
    await palette.getByText("No older task matches").waitFor();
    await words.press("Escape");

    const title = page.getByRole("complementary").getByRole("textbox", { name: "Title" });
    const note = page.getByText("Tasks completed more than 90 days ago may not be listed.");
    for (const [name, link] of [
      ["fence", "House"],
      ["gate", "List"],
    ] as const) {
      await page.getByRole("link", { name: link, exact: true }).click();
      await page.getByRole("searchbox").waitFor();
      expect(await note.count()).toBe(0);
      await page.getByRole("searchbox").fill(name);
      await note.getByRole("button", { name: "Search them" }).click();
      expect(await words.inputValue()).toBe(name);
      await option(`Paint the old ${name}`).waitFor();
      await words.press("Enter");
      await poll(`${name} is open`, waitMs, async () => (await title.inputValue()) === `Paint the old ${name}`);
    }
    expectNoFaults({ ...bob, faults: bob.faults.filter((fault) => !fault.includes("ERR_FAILED")) });
    await context.close();
  }, 180_000);
});
