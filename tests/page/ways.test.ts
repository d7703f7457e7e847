/** The main job of the page, from a new project to a task that is done, by each way of a person alone: a mouse, a finger on a phone, the keys. */
import { expect, test } from "bun:test";
import {
  type Account,
  columnOf,
  expectNoFaults,
  type Page,
  register,
  saved,
  signedIn,
  titlesIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 30_000;

type Point = { readonly x: number; readonly y: number };
/** How somebody presses what is shown, and takes a card to a column. Text is typed wherever the focus is. */
type Way = {
  press(page: Page, name: string): Promise<void>;
  carry(page: Page, from: Point, to: Point): Promise<void>;
};

const mouse: Way = {
  press: async (page, name) => await page.getByRole("button", { name, exact: true }).first().click(),
  async carry({ mouse: pointer }, from, to) {
    await pointer.move(from.x, from.y);
    await pointer.down();
    await pointer.move(from.x + 20, from.y + 10, { steps: 3 });
    await pointer.move(to.x, to.y, { steps: 6 });
    await pointer.up();
  },
};

const finger: Way = {
  press: async (page, name) => await page.getByRole("button", { name, exact: true }).first().tap(),
  async carry(page, from, to) {
    const cdp = await page.context().newCDPSession(page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: readonly Point[]) =>
      cdp.send("Input.dispatchTouchEvent", { type, touchPoints: [...points] });
    await touch("touchStart", [from]);
    await page.locator(".ghost").waitFor();
    for (const part of [0.4, 0.8, 1])
      await touch("touchMove", [{ x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part }]);
    await touch("touchEnd", []);
  },
};

await describePage("the main job", {}, ({ chromium, system }) => {
  /** What the server has of it at the end. */
  async function isDone(account: Account): Promise<void> {
    const send = await signedIn(system.url, account);
    type Items<Item> = { readonly items: readonly Item[] };
    const { items } = await send<Items<{ id: string; title: string; status: string; labels: string[] }>>(
      "GET",
      "/v1/tasks?sort=title",
    );
    expect(items.map(({ title, status, labels }) => [title, status, labels])).toEqual([
      ["Bake", "done", ["party"]],
      ["Invite", "in_progress", []],
    ]);
    const { items: comments } = await send<Items<{ body: string }>>("GET", `/v1/comments?task=${items[0]?.id}`);
    expect(comments.map(({ body }) => body)).toEqual(["With apples"]);
  }

  async function middleOf(page: Page, column: string, card?: string): Promise<Point> {
    const place = columnOf(page, column);
    const box = await (card === undefined ? place.locator(".cards") : place.getByText(card)).boundingBox();
    if (box === null) throw new Error(`Cannot see ${card ?? column}`);
    return { x: box.x + Math.min(40, box.width / 2), y: box.y + Math.min(40, box.height / 2) };
  }

  async function doneBy(way: Way, { page, faults }: Visitor, isNarrow: boolean): Promise<void> {
    const openMenu = async () => {
      if (isNarrow) await way.press(page, "Open menu");
    };
    const account = await register(page, "Ada");
    await openMenu();
    await way.press(page, "New project");
    await page.keyboard.type("Party");
    await way.press(page, "Create");
    await columnOf(page, "To do").waitFor();
    for (const line of ["Invite", "Bake #party"]) {
      await way.press(page, "Add task to To do");
      await page.keyboard.type(line);
      await page.keyboard.press("Enter");
      await page.keyboard.press("Escape");
    }
    await poll("both are there", waitMs, async () => (await titlesIn(page, "To do")).join() === "Invite,Bake");
    const to = await middleOf(page, "In progress");
    await way.carry(page, await middleOf(page, "To do", "Invite"), isNarrow ? { ...to, x: 370 } : to);
    await columnOf(page, "In progress").getByText("Invite").waitFor();
    if (isNarrow) await columnOf(page, "To do").scrollIntoViewIfNeeded();
    await way.press(page, "Bake party");
    const panel = page.getByRole("complementary", { name: "Bake" });
    await panel.waitFor();
    await panel.getByLabel("Write a comment").focus();
    await page.keyboard.type("With apples");
    await way.press(page, "Comment");
    await panel.locator(".comment").getByText("With apples").waitFor();
    await way.press(page, "Close");
    await panel.waitFor({ state: "detached" });
    await way.press(page, "Mark “Bake” as done");
    await columnOf(page, "Done").getByText("Bake").waitFor();
    await way.press(page, "Undo");
    await columnOf(page, "To do").getByText("Bake").waitFor();
    await way.press(page, "Mark “Bake” as done");
    await columnOf(page, "Done").getByText("Bake").waitFor();
    await saved(page);
    await isDone(account);
    expect(faults).toEqual([]);
  }

  test("is done with a mouse", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    await doneBy(mouse, ada, false);
    await ada.context.close();
  }, 120_000);

  test("is done with a finger on a phone", async () => {
    const ada = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    await doneBy(finger, ada, true);
    await ada.context.close();
  }, 120_000);

  test("is done with the keys", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page } = ada;
    const account = await register(page, "Ada");
    const isOn = (name: string) =>
      page.evaluate((wanted) => {
        const focused = document.activeElement;
        return focused instanceof HTMLElement && (focused.ariaLabel ?? focused.textContent) === wanted;
      }, name);
    /** With the tab key alone to what is called so. */
    const tabTo = async (name: string) => {
      for (let step = 0; step < 60 && !(await isOn(name)); step++) await page.keyboard.press("Tab");
      expect(await isOn(name), `the tab key leads to ${name}`).toBe(true);
    };
    await tabTo("New project");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.type("Party");
    await page.keyboard.press("Enter");
    await columnOf(page, "To do").waitFor();
    for (const line of ["Invite", "Bake #party"]) {
      await page.keyboard.press("c");
      await page.getByRole("dialog").waitFor();
      await page.keyboard.type(line);
      await page.keyboard.press("Enter");
      await page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await poll("both are there", waitMs, async () => (await titlesIn(page, "To do")).join() === "Invite,Bake");
    const cardWith = (title: string) =>
      page.evaluate((wanted) => document.activeElement?.querySelector(".card-title")?.textContent === wanted, title);
    await page.keyboard.press("Control+k");
    await page.keyboard.type("my day");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { level: 1, name: "My day" }).waitFor();
    await page.keyboard.press("Control+k");
    await page.keyboard.type("party");
    await page.keyboard.press("Enter");
    await columnOf(page, "To do").getByText("Invite").waitFor();
    await page.keyboard.press("j");
    for (let step = 0; step < 5 && !(await cardWith("Invite")); step++) await page.keyboard.press("k");
    await page.keyboard.press("Shift+l");
    await columnOf(page, "In progress").getByText("Invite").waitFor();
    await poll("the focus goes along", waitMs, () => cardWith("Invite"));
    await page.keyboard.press("Shift+ArrowRight");
    await columnOf(page, "Done").getByText("Invite").waitFor();
    expect(await page.locator("#announcements").textContent()).toContain("Invite");
    await poll("the focus goes along again", waitMs, () => cardWith("Invite"));
    await page.keyboard.press("Shift+h");
    await columnOf(page, "In progress").getByText("Invite").waitFor();
    await poll("and back", waitMs, () => cardWith("Invite"));
    await page.keyboard.press("h");
    expect(await cardWith("Bake")).toBe(true);
    await page.keyboard.press("e");
    await page.getByRole("complementary", { name: "Bake" }).waitFor();
    const isInPanel = () => page.evaluate(() => document.activeElement?.closest("aside") instanceof HTMLElement);
    await poll("the focus is in the panel", waitMs, isInPanel);
    await tabTo("Write a comment");
    await page.keyboard.type("With apples");
    await page.keyboard.press("Control+Enter");
    await page.locator(".comment").getByText("With apples").waitFor();
    await page.keyboard.press("Escape");
    await poll("the focus is back", waitMs, () => cardWith("Bake"));
    await page.keyboard.press("x");
    await columnOf(page, "Done").getByText("Bake").waitFor();
    await page.keyboard.press("Control+z");
    await columnOf(page, "To do").getByText("Bake").waitFor();
    await poll("the focus is still on it", waitMs, () => cardWith("Bake"));
    await page.keyboard.press("x");
    await columnOf(page, "Done").getByText("Bake").waitFor();
    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("search");
    await saved(page);
    await isDone(account);
    expectNoFaults(ada);
    await ada.context.close();
  }, 120_000);
});
