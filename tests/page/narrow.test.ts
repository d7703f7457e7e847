/** What a phone shows, and a screen on which somebody reads at four times the size, with keys alone. */
import { expect, test } from "bun:test";
import { expectNoFaults, newProject, quickAdd, register, saved, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const tabsMax = 40;
/** How long one is shown. */
const toastMs = 6_000;

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

  test("what was refused, the toast and what is below them are all within reach", async () => {
    const ada = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    const { page, context } = ada;
    await register(page, "Ada");
    await page.getByRole("button", { name: "Open menu" }).click();
    await newProject(page, "Launch");
    await saved(page);
    const refusing = /\/batch$/;
    const body = JSON.stringify({ code: "conflict", status: 409, title: "conflict", detail: "Not now" });
    await page.route(refusing, (route) =>
      route.fulfill({ status: 409, contentType: "application/problem+json", body }),
    );
    for (const n of [1, 2, 3]) await quickAdd(page, `Refused ${n}`);
    await page.getByText("3 could not be saved").waitFor();
    await page.unroute(refusing);
    const notes = page.getByRole("region", { name: "Changes that could not be saved" });
    for (const [width, height] of [
      [390, 844],
      [900, 844],
      [1200, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      await quickAdd(page, `A long title so that the toast is as wide as it can be, at ${width}`);
      const places = await page.evaluate(() =>
        [".toast", ".notes"].map((name) => document.querySelector(name)?.getBoundingClientRect().toJSON() as DOMRect),
      );
      const [toast, above] = places as [DOMRect, DOMRect];
      expect(toast.top >= above.bottom || toast.right <= above.left, JSON.stringify({ width, toast, above })).toBe(
        true,
      );
      await page.getByRole("button", { name: "Undo" }).click({ trial: true });
      await notes.getByRole("button", { name: "Discard" }).last().click({ trial: true });
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole("button", { name: /^A long title.*at 390$/ }).click();
    const panel = page.getByRole("complementary");
    await panel.getByLabel("Write a comment").fill("Within reach");
    await panel.getByRole("button", { name: "Comment", exact: true }).click();
    await panel.locator(".comment").getByText("Within reach").waitFor();
    await panel.getByRole("button", { name: "Close" }).click();
    await page.getByRole("button", { name: "Open menu" }).click();
    await page.getByRole("button", { name: "Account" }).click();
    await page.getByRole("menuitem", { name: "Settings" }).click();
    await page.getByRole("button", { name: "Delete account" }).click({ trial: true });
    expectNoFaults(ada);
    await context.close();
  }, 180_000);

  test("the last card of a full column can be reached while there is a toast", async () => {
    const ada = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    const { page, context } = ada;
    await register(page, "Ada");
    await page.getByRole("button", { name: "Open menu" }).click();
    await newProject(page, "Launch");
    for (let n = 0; n < 16; n++) await quickAdd(page, `Card ${n}`);
    await page.locator(".toast").waitFor();
    const last = page.getByRole("button", { name: "Card 15", exact: true });
    await last.click({ trial: true, timeout: toastMs / 2 });
    expectNoFaults(ada);
    await context.close();
  }, 180_000);
});
