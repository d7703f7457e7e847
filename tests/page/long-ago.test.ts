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
});
