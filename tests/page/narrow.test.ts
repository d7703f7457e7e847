/** What a phone shows, and a screen on which somebody reads at four times the size, with keys alone. */
import { expect, test } from "bun:test";
import { expectNoFaults, newProject, quickAdd, register, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const tabsMax = 40;

await describePage("the page on a narrow screen", {}, ({ chromium, system }) => {
  test("says whether all is saved, what waits and that it is offline, without its menu", async () => {
    const ada = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    const { page, context } = ada;
    await register(page, "Ada");
    await page.getByRole("button", { name: "Open menu" }).click();
    await newProject(page, "The launch of something with a long name");
    await page.getByText("All changes saved").waitFor();
    await context.setOffline(true);
    await page.getByText("Offline", { exact: true }).waitFor();
    await quickAdd(page, "Away");
    const state = page.getByText("Offline, 1 waiting");
    await state.waitFor();
    const box = await state.boundingBox();
    expect((box?.x ?? -1) >= 0 && (box?.x ?? 0) + (box?.width ?? 1_000) <= 390).toBe(true);
    await context.setOffline(false);
    await page.getByText("All changes saved").waitFor();
    expectNoFaults(ada);
    await context.close();
  }, 180_000);

  test("opens its menu by a key, keeps the focus in it, and gives it back with Escape", async () => {
    const ada = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    const { page, context } = ada;
    await register(page, "Ada");
    const focusIn = (selector: string) =>
      page.evaluate((within) => document.activeElement?.closest(within) instanceof HTMLElement, selector);
    await page.getByRole("button", { name: "Open menu" }).focus();
    await page.keyboard.press("Enter");
    await poll("the focus is in the menu", waitMs, () => focusIn(".sidebar"));
    for (let step = 0; step < tabsMax; step++) {
      await page.keyboard.press("Tab");
      expect(await focusIn("main"), "what is behind the menu has no focus").toBe(false);
    }
    await page.keyboard.press("Escape");
    await poll("the focus is back", waitMs, () => focusIn(".menu-button"));
    await page.locator(".sidebar").waitFor({ state: "hidden" });
    expectNoFaults(ada);
    await context.close();
  }, 180_000);
});
