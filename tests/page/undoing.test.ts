/** Each field of a task can be taken back by the toast and by the key, wherever the focus is; and days go on while the page is open. */
import { expect, test } from "bun:test";
import {
  columnOf,
  expectNoFaults,
  newProject,
  type Page,
  quickAdd,
  register,
  saved,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { shiftClock } from "./clock.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const dayMs = 86_400_000;

await describePage("what a person does by mistake", {}, ({ chromium, system }) => {
  test("each field of a task is taken back by the key while it has the focus, and by the toast", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page } = ada;
    await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "One");
    await columnOf(page, "To do").getByRole("button", { name: "One", exact: true }).click();
    const panel = page.getByRole("complementary");
    const toast = page.locator(".toast");
    const choice = (name: string) => panel.getByRole("combobox", { name, exact: true });
    const selected = async (name: string) =>
      await choice(name).evaluate((select: HTMLSelectElement) => select.selectedOptions[0]?.text);
    for (const [name, value, before] of [
      ["Priority", "High", "None"],
      ["Status", "Done", "To do"],
      ["Project", "No project", "Launch"],
    ] as const) {
      await choice(name).selectOption(value);
      await toast.getByText(`Changed “One”: ${name.toLowerCase()}`).waitFor();
      await choice(name).focus();
      await page.keyboard.press("Control+z");
      await poll(`${name} is as before`, waitMs, async () => (await selected(name)) === before);
    }
    await panel.getByLabel("Due", { exact: true }).fill("2031-05-09");
    await panel.getByRole("button", { name: "Clear" }).waitFor();
    await panel.getByLabel("Due", { exact: true }).focus();
    await page.keyboard.press("Control+z");
    await panel.getByRole("button", { name: "Clear" }).waitFor({ state: "detached" });
    const title = panel.getByRole("textbox", { name: "Title" });
    await title.fill("Two");
    await title.press("Enter");
    await toast.getByRole("button", { name: "Undo" }).click();
    await columnOf(page, "To do").getByRole("button", { name: "One", exact: true }).waitFor();
    // What is being typed is the field's own matter.
    await title.fill("Three");
    await page.keyboard.press("Control+z");
    await title.press("Escape");
    await columnOf(page, "To do").getByRole("button", { name: "One", exact: true }).waitFor();
    await saved(page);
    expectNoFaults(ada);
    await ada.context.close();
  }, 180_000);

  test("a filter that leaves nothing of a board says so, and does not ask for a first task", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "One");
    await page.getByRole("searchbox", { name: "Search tasks" }).fill("nothing like it");
    await columnOf(page, "To do").getByText("No task matches").waitFor();
    expect(await page.getByText("Add the first one").count()).toBe(0);
    await page.getByRole("button", { name: "Clear filters" }).click();
    await columnOf(page, "To do").getByText("One").waitFor();
    await context.close();
  }, 120_000);

  test("a day that is written faster than the page can read days is understood", async () => {
    const written = Promise.withResolvers<void>();
    const before = async (opened: Page) => {
      // One would have the file already.
      await opened.addInitScript(() => {
        Reflect.deleteProperty(Navigator.prototype, "serviceWorker");
      });
      // Not the page itself: what it loads later.
      await opened.route(/\/assets\/index-[^/]+\.js$/, async (route) => {
        await written.promise;
        await route.continue();
      });
    };
    const { page, context } = await visitor(chromium, `${system.url}/`, { before });
    await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "Call tomorrow");
    written.resolve();
    await columnOf(page, "To do").locator(".chip.due").getByText("Tomorrow").waitFor();
    await columnOf(page, "To do").getByText("Call", { exact: true }).waitFor();
    await context.close();
  }, 120_000);

  test("what is due tomorrow is due today once it is tomorrow, without a reload", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`, { before: shiftClock });
    await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "Call tomorrow");
    await columnOf(page, "To do").locator(".chip.due").getByText("Tomorrow").waitFor();
    // As when the person comes back to the tab.
    const goOn = (days: number) =>
      page.evaluate((ms) => {
        localStorage.setItem("clock-offset", String(ms));
        document.dispatchEvent(new Event("visibilitychange"));
      }, days * dayMs);
    await goOn(1);
    await columnOf(page, "To do").locator(".chip.due").getByText("Today").waitFor({ timeout: waitMs });
    await page.getByRole("link", { name: "My day" }).click();
    await page.getByRole("region", { name: "Today" }).getByText("Call").waitFor();
    await goOn(2);
    await page.getByRole("region", { name: "Overdue" }).getByText("Call").waitFor({ timeout: waitMs });
    await context.close();
  }, 240_000);
});
