/** The page while things go wrong around it: the server dies in the middle of a drag, the clock is a day off, two people set one field at once. */
import { expect, test } from "bun:test";
import {
  columnOf,
  expectNoFaults,
  newProject,
  newSpace,
  quickAdd,
  register,
  saved,
  signedIn,
  titlesIn,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { freePort, temporaryFolder } from "../system/server.ts";
import { violations } from "./axe.ts";
import { shiftClock } from "./clock.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const dayMs = 86_400_000;
/** Without an immediate commit a change was lost at every second one. */
const leavings = 5;

await describePage("the page in disturbance", {}, ({ chromium, system, another }) => {
  test("a server killed in the middle of a drag, and started again, has the card where it was dropped", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const dataDir = temporaryFolder();
    let mortal = await another({ ports, dataDir });
    const { page, context } = await visitor(chromium, `${mortal.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "Dragged");
    await saved(page);
    const from = await columnOf(page, "To do").getByText("Dragged").boundingBox();
    const to = await columnOf(page, "Done").locator(".cards").boundingBox();
    if (from === null || to === null) throw new Error("Cannot see the card");
    await page.mouse.move(from.x + 10, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(from.x + 60, from.y + 30, { steps: 4 });
    await page.locator(".ghost").waitFor();
    await mortal.end("SIGKILL");
    await page.mouse.move(to.x + 100, to.y + 40, { steps: 8 });
    await page.mouse.up();
    await columnOf(page, "Done").getByText("Dragged").waitFor();
    await page.locator(".save-state.offline").waitFor();
    mortal = await another({ ports, dataDir });
    await page.getByText("All changes saved").waitFor({ timeout: waitMs });
    expect(await titlesIn(page, "Done")).toEqual(["Dragged"]);
    const send = await signedIn(mortal.url, account);
    const { items } = await send<{ items: { status: string; version: number }[] }>("GET", "/v1/tasks");
    expect(items.map(({ status, version }) => [status, version])).toEqual([["done", 2]]);
    await context.close();
    await mortal.end("SIGTERM");
  }, 240_000);

  test("a change is kept that was made in the moment in which the page is left, without a network", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page, context } = ada;
    await register(page, "Ada");
    await newProject(page, "Launch");
    for (let made = 0; made < leavings; made++) await quickAdd(page, `Task ${made}`);
    await saved(page);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await context.setOffline(true);
    await page.locator(".save-state.offline").waitFor();
    for (let left = 1; left <= leavings; left++) {
      const loaded = page.waitForEvent("load");
      await page.evaluate(() => {
        (document.querySelector(".column .tick:not(.ticked)") as HTMLElement).click();
        location.reload();
      });
      await loaded;
      await page.getByText(`Offline, ${left} waiting`).waitFor();
      // The outbox is read before the space is.
      await poll("the change is shown", waitMs, async () => (await titlesIn(page, "Done")).length === left);
    }
    await context.setOffline(false);
    await saved(page);
    expectNoFaults(ada);
    await context.close();
  }, 240_000);

  test.each([-dayMs, dayMs])(
    "a clock that is wrong by %d ms signs nobody out, keeps the order of changes and writes the server's instants",
    async (offsetMs) => {
      let refreshes = 0;
      const ada = await visitor(chromium, `${system.url}/`, { before: shiftClock });
      const { page } = ada;
      page.on("request", (request) => {
        if (request.url().endsWith("/v1/auth/refresh")) refreshes += 1;
      });
      await page.evaluate((ms) => localStorage.setItem("clock-offset", String(ms)), offsetMs);
      await page.reload();
      const account = await register(page, "Ada");
      await newProject(page, "Launch");
      await quickAdd(page, "Made");
      await saved(page);
      await ada.context.setOffline(true);
      await page.locator(".save-state.offline").waitFor();
      const title = page.getByRole("complementary").getByRole("textbox", { name: "Title" });
      await columnOf(page, "To do").getByRole("button", { name: "Made", exact: true }).click();
      await title.fill("Before the clock was set right");
      await title.press("Enter");
      await page.evaluate(() => localStorage.removeItem("clock-offset"));
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      await page.reload();
      await poll("the waiting change is shown", waitMs, async () => (await title.inputValue()).startsWith("Before"));
      await title.fill("After it was set right");
      await title.press("Enter");
      await ada.context.setOffline(false);
      await page.getByText("All changes saved").waitFor({ timeout: waitMs });
      const send = await signedIn(system.url, account);
      const { items } = await send<{ items: { title: string; createdAt: string; updatedAt: string }[] }>(
        "GET",
        "/v1/tasks",
      );
      expect(items.map(({ title: now }) => now)).toEqual(["After it was set right"]);
      for (const at of [items[0]?.createdAt, items[0]?.updatedAt])
        expect(Math.abs(Date.parse(at ?? "") - Date.now())).toBeLessThan(dayMs / 2);
      expect(refreshes).toBeLessThanOrEqual(6);
      expectNoFaults(ada);
      await ada.context.close();
    },
    240_000,
  );
});

await describePage("the page while others change the same", { onServers: true }, ({ chromium, system }) => {
  test("two who set one field at once are both told, and each can have the replaced value back by one click", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const account = await register(ada.page, "Ada");
    await newSpace(ada.page, "Team");
    await newProject(ada.page, "Launch");
    await quickAdd(ada.page, "Name it");
    await saved(ada.page);
    const spaceId = /#\/s\/([^/]+)/.exec(ada.page.url())?.[1];
    const send = await signedIn(system.url, account);
    const { token } = await send<{ token: string }>("POST", `/v1/spaces/${spaceId}/invitations`, { role: "member" });
    const bob = await visitor(chromium, `${system.url}/#/join/${token}`);
    await register(bob.page, "Bob");
    await bob.page.getByRole("link", { name: "Launch" }).click();
    const titles = [ada, bob].map(({ page }) =>
      page.getByRole("complementary").getByRole("textbox", { name: "Title" }),
    );
    for (const { page } of [ada, bob])
      await columnOf(page, "To do").getByRole("button", { name: "Name it", exact: true }).click();
    // Bob is away while Ada names it, and his name comes after hers.
    await bob.context.setOffline(true);
    await bob.page.locator(".save-state.offline").waitFor();
    await titles[1]?.fill("Bob's name");
    await titles[1]?.press("Enter");
    await titles[0]?.fill("Ada's name");
    await titles[0]?.press("Enter");
    await saved(ada.page);
    await bob.context.setOffline(false);
    const notes = [ada, bob].map(({ page }) => page.getByRole("region", { name: "Values that were replaced" }));
    await notes[0]?.getByText("Bob changed this right after you: title.").waitFor({ timeout: waitMs });
    await notes[1]?.getByText("You replaced what Ada had set meanwhile: title.").waitFor({ timeout: waitMs });
    for (const note of notes) {
      await note.getByText("Ada's name").waitFor();
      await note.getByText("Bob's name").first().waitFor();
    }
    expect(await violations(ada.page)).toEqual([]);
    await notes[1]?.getByRole("button", { name: "Bring back" }).click();
    await columnOf(ada.page, "To do").getByRole("button", { name: "Ada's name", exact: true }).waitFor();
    await notes[0]?.getByRole("button", { name: "Dismiss" }).click();
    for (const note of notes) await note.waitFor({ state: "detached" });
    for (const one of [ada, bob]) {
      expectNoFaults(one);
      await one.context.close();
    }
  }, 240_000);

  test("what others do shifts nothing that one is looking at", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page } = ada;
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    for (let made = 0; made < 4; made++) await quickAdd(page, `Card ${made} !low @ada`);
    await columnOf(page, "To do")
      .getByRole("button", { name: /^Card 0/ })
      .click();
    await page.getByText("No comments yet.").waitFor();
    await saved(page);
    // The toast of one's own change has gone.
    await page.locator(".toast").waitFor({ state: "detached" });
    await page.evaluate(() => {
      const shifts: number[] = [];
      Object.assign(globalThis, { shifts });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) shifts.push((entry as unknown as { value: number }).value);
      }).observe({ type: "layout-shift" });
    });
    const send = await signedIn(system.url, account);
    const { items } = await send<{ items: { id: string; projectId: string; title: string }[] }>(
      "GET",
      "/v1/tasks?sort=rank",
    );
    const projectId = items[0]?.projectId;
    await send("PATCH", `/v1/tasks/${items[1]?.id}`, { title: "Card X" });
    await send("PATCH", `/v1/tasks/${items[2]?.id}`, { priority: "high" });
    await send("POST", "/v1/tasks", { title: "One more", projectId });
    await send("POST", "/v1/comments", { taskId: items[0]?.id, body: "Seen" });
    await page.locator(".comment").getByText("Seen").waitFor();
    await columnOf(page, "To do").getByText("One more").waitFor();
    await columnOf(page, "To do").getByText("Card X").waitFor();
    const shifts = await page.evaluate(() => (globalThis as unknown as { shifts: number[] }).shifts);
    expect(shifts.reduce((sum, each) => sum + each, 0)).toBeLessThan(0.02);
    expectNoFaults(ada);
    await ada.context.close();
  }, 240_000);
});
