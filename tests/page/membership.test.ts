/** Spaces that one makes, leaves and loses: each once, on purpose, and with word of what can no longer be saved. */
import { expect, test } from "bun:test";
import { columnOf, newProject, newSpace, quickAdd, register, saved, signedIn, visitor } from "../system/browser.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
type Spaces = { items: { space: { name: string } }[] };

await describePage("the page and membership", {}, ({ chromium, system }) => {
  async function teamOfTwo() {
    const ada = await visitor(chromium, `${system.url}/`);
    const account = await register(ada.page, "Ada");
    await newSpace(ada.page, "Team");
    await newProject(ada.page, "Launch");
    await saved(ada.page);
    const spaceId = /#\/s\/([^/]+)/.exec(ada.page.url())?.[1] ?? "";
    await ada.context.close();
    const send = await signedIn(system.url, account);
    const { token } = await send<{ token: string }>("POST", `/v1/spaces/${spaceId}/invitations`, { role: "member" });
    const bob = await visitor(chromium, `${system.url}/#/join/${token}`);
    await register(bob.page, "Bob");
    await bob.page.getByRole("link", { name: "Launch" }).click();
    await columnOf(bob.page, "To do").waitFor();
    return { spaceId, send, bob };
  }

  test("a space is made once, though the answer was lost and it was asked for again", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    let made = 0;
    await page.route(/\/v1\/spaces$/, async (route) => {
      if (route.request().method() !== "POST") return await route.continue();
      made += 1;
      if (made > 1) return await route.continue();
      await route.fetch();
      await route.abort();
    });
    await page.getByRole("button", { name: /^Spaces/ }).click();
    await page.getByRole("menuitem", { name: "New space" }).click();
    await page.getByLabel("Space name").fill("Once");
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("alert").waitFor();
    await page.getByRole("button", { name: "Create", exact: true }).click();
    await page.getByRole("button", { name: "Spaces: Once" }).waitFor();
    const send = await signedIn(system.url, account);
    const { items } = await send<Spaces>("GET", "/v1/spaces");
    expect(items.filter(({ space: { name } }) => name === "Once").length).toBe(1);
    await context.close();
  }, 120_000);

  test("who leaves a space is asked first", async () => {
    const { bob } = await teamOfTwo();
    const { page, context } = bob;
    await page.getByRole("link", { name: "Members" }).click();
    const leave = page.getByRole("button", { name: "Leave space" });
    const asked: string[] = [];
    page.once("dialog", (dialog) => {
      asked.push(dialog.message());
      void dialog.dismiss();
    });
    await leave.click();
    expect(asked[0]).toContain("another invitation");
    await page.getByRole("button", { name: "Spaces: Team" }).waitFor();
    page.once("dialog", (dialog) => void dialog.accept());
    await leave.click();
    await page.getByRole("button", { name: "Spaces: Personal" }).waitFor();
    await context.close();
  }, 120_000);

  test("who was removed while away is told what can no longer be saved", async () => {
    const { bob, send, spaceId } = await teamOfTwo();
    const { page, context } = bob;
    await context.setOffline(true);
    await page.locator(".save-state.offline").waitFor();
    await quickAdd(page, "Written in vain #plan");
    await page.getByText("Offline, 1 waiting").waitFor();
    const { items } = await send<{ items: { id: string; role: string }[] }>("GET", `/v1/spaces/${spaceId}/members`);
    await send("DELETE", `/v1/spaces/${spaceId}/members/${items.find(({ role }) => role === "member")?.id}`);
    await context.setOffline(false);
    const notes = page.getByRole("region", { name: "Changes that could not be saved" });
    await notes.getByText("Written in vain").waitFor({ timeout: waitMs });
    await notes.getByText("plan", { exact: true }).waitFor();
    await page.getByText("no longer available").waitFor();
    await notes.getByRole("button", { name: "Discard" }).click();
    await saved(page);
    await context.close();
  }, 180_000);
});
