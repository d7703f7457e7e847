/** The page with others: two browsers at once, without a network and back, refusals, several tabs, a membership that ends. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  columnOf,
  expectNoFaults,
  newProject,
  newSpace,
  quickAdd,
  register,
  saved,
  titlesIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const offlineChanges = 50;

await describePage("the page for several people", { onServers: true }, ({ chromium, system }) => {
  let ada: Visitor;
  let bob: Visitor;
  beforeAll(async () => {
    ada = await visitor(chromium, `${system.url}/`);
    await register(ada.page, "Ada");
    await newSpace(ada.page, "Our team");
    await newProject(ada.page, "Launch");
  }, 180_000);
  afterAll(async () => {
    await ada?.context.close();
    await bob?.context.close();
  }, 120_000);

  const linkOfAda = async (): Promise<string> => {
    await ada.page.getByRole("link", { name: "Members" }).click();
    await ada.page.getByRole("button", { name: "Create link" }).click();
    const link = ada.page.getByRole("textbox", { name: "Copy link" });
    await link.waitFor();
    return await link.inputValue();
  };

  const isAway = async ({ page }: Visitor) => await page.locator(".save-state.offline").waitFor();

  test("an invitation link brings somebody in, and its secret leaves the address at once", async () => {
    const link = await linkOfAda();
    expect(link).toMatch(new RegExp(`^${system.url}/#/join/ti_`));
    bob = await visitor(chromium, link);
    await bob.page.getByText("create an account to join").waitFor();
    expect(bob.page.url()).not.toContain("ti_");
    await register(bob.page, "Bob");
    await bob.page.getByRole("button", { name: "Spaces: Our team" }).waitFor();
    await bob.page.getByRole("link", { name: "Launch" }).click();
    await ada.page.getByRole("listitem").getByText("Bob", { exact: true }).waitFor();
    await ada.page.getByRole("link", { name: "Launch" }).click();
    expectNoFaults(ada);
    expectNoFaults(bob);
  }, 120_000);

  test("what one does the other sees, without losing what they are typing", async () => {
    await bob.page.getByRole("button", { name: "Add task to Done" }).click();
    const half = columnOf(bob.page, "Done").getByLabel("What needs to be done?");
    await half.fill("Half a thought");
    await quickAdd(ada.page, "Seen by Bob");
    await columnOf(bob.page, "To do").getByText("Seen by Bob").waitFor();
    expect(await half.inputValue()).toBe("Half a thought");
    expect(await half.evaluate((input) => input === document.activeElement)).toBe(true);
    await half.press("Enter");
    await columnOf(ada.page, "Done").getByText("Half a thought").waitFor();
    await half.press("Escape");
    await columnOf(bob.page, "To do").getByRole("button", { name: "Seen by Bob", exact: true }).click();
    await bob.page.getByLabel("Write a comment").fill("I will do it");
    await bob.page.getByRole("button", { name: "Comment", exact: true }).click();
    await bob.page.keyboard.press("Escape");
    await columnOf(ada.page, "To do").getByRole("button", { name: "Seen by Bob", exact: true }).click();
    await ada.page.getByText("I will do it").waitFor();
    await ada.page.keyboard.press("Escape");
    expectNoFaults(ada);
    expectNoFaults(bob);
  }, 120_000);

  test(`${offlineChanges} changes made without a network are all there afterwards, in order, after a reload too`, async () => {
    await ada.context.setOffline(true);
    await isAway(ada);
    await ada.page.getByRole("button", { name: "Add task to In progress" }).click();
    const line = columnOf(ada.page, "In progress").getByLabel("What needs to be done?");
    for (let made = 0; made < offlineChanges; made++) {
      await line.fill(`Away ${made}`);
      await line.press("Enter");
    }
    const wanted = Array.from({ length: offlineChanges }, (_, made) => `Away ${made}`);
    expect(await titlesIn(ada.page, "In progress")).toEqual(wanted);
    await ada.page.getByText(`Offline, ${offlineChanges} waiting`).waitFor();
    await quickAdd(bob.page, "Meanwhile");
    await ada.context.setOffline(false);
    await saved(ada.page);
    await poll(
      "Bob sees them",
      waitMs,
      async () => (await titlesIn(bob.page, "In progress")).length === offlineChanges,
    );
    expect(await titlesIn(bob.page, "In progress")).toEqual(wanted);
    await columnOf(ada.page, "To do").getByText("Meanwhile").waitFor();
    await ada.page.reload();
    // A long column is drawn in several steps.
    await columnOf(ada.page, "In progress")
      .getByText(`Away ${offlineChanges - 1}`)
      .waitFor();
    expect(await titlesIn(ada.page, "In progress")).toEqual(wanted);
  }, 300_000);

  test("a reload without a network shows all of it, and keeps what waits", async () => {
    await ada.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await ada.page.reload();
    await columnOf(ada.page, "To do").getByText("Meanwhile").waitFor();
    await ada.context.setOffline(true);
    await isAway(ada);
    await quickAdd(ada.page, "Before the reload");
    await columnOf(ada.page, "To do").getByText("Before the reload").waitFor();
    await ada.page.reload();
    await columnOf(ada.page, "To do").getByText("Before the reload").waitFor();
    await ada.context.setOffline(false);
    await columnOf(bob.page, "To do").getByText("Before the reload").waitFor({ timeout: waitMs });
    await saved(ada.page);
  }, 180_000);

  test("a change that is refused becomes a note, and those behind it are not held up", async () => {
    await ada.context.setOffline(true);
    await isAway(ada);
    await columnOf(ada.page, "To do").getByRole("button", { name: "Meanwhile", exact: true }).click();
    const title = ada.page.getByRole("complementary").getByRole("textbox", { name: "Title" });
    await title.fill("Renamed without a network");
    await title.press("Enter");
    await ada.page.keyboard.press("Escape");
    await quickAdd(ada.page, "Behind it");
    await columnOf(bob.page, "To do").getByRole("button", { name: "Meanwhile", exact: true }).click();
    await bob.page.getByRole("complementary").getByRole("button", { name: "More actions" }).first().click();
    await bob.page.getByRole("menuitem", { name: "Delete task" }).click();
    await saved(bob.page);
    await ada.context.setOffline(false);
    const notes = ada.page.getByRole("region", { name: "Changes that could not be saved" });
    await notes.getByText("Meanwhile").first().waitFor({ timeout: waitMs });
    await columnOf(bob.page, "To do").getByText("Behind it").waitFor({ timeout: waitMs });
    await poll(
      "it is gone",
      waitMs,
      async () => !(await titlesIn(ada.page, "To do")).includes("Renamed without a network"),
    );
    // Bob thinks better of it, and then it can be done.
    await bob.page.getByRole("link", { name: "Trash" }).click();
    await bob.page
      .getByRole("listitem")
      .filter({ hasText: "Meanwhile" })
      .getByRole("button", { name: "Restore" })
      .click();
    await bob.page.getByRole("link", { name: "Launch" }).click();
    await columnOf(ada.page, "To do").getByText("Meanwhile").waitFor();
    await notes.getByRole("button", { name: "Retry" }).click();
    await columnOf(bob.page, "To do").getByText("Renamed without a network").waitFor();
    await notes.waitFor({ state: "detached" });
  }, 180_000);

  test("a description that two edit at once is compared, not written over", async () => {
    const panels = [ada, bob].map(({ page }) => page.getByRole("complementary"));
    const [left, right] = panels;
    if (left === undefined || right === undefined) throw new Error("Cannot see two panels");
    for (const [at, { page }] of [ada, bob].entries()) {
      await columnOf(page, "To do").getByRole("button", { name: "Behind it", exact: true }).click();
      await panels[at]?.getByRole("button", { name: "Add a description" }).click();
    }
    await left.getByRole("textbox", { name: "Description" }).fill("By Ada");
    await right.getByRole("textbox", { name: "Description" }).fill("By Bob");
    await left.getByRole("button", { name: "Save" }).click();
    await right.getByText("Somebody else changed this").waitFor();
    await right.getByRole("button", { name: "Save" }).click();
    const note = bob.page.getByRole("region", { name: "Changes that could not be saved" });
    await note.getByText("By Ada").waitFor();
    await note.getByText("By Bob").waitFor();
    await note.getByRole("button", { name: "Use mine" }).click();
    await left.locator(".markdown").getByText("By Bob").waitFor();
    for (const { page } of [ada, bob]) await page.keyboard.press("Escape");
  }, 120_000);

  test("a second tab is told by the first, and works alone when that is closed", async () => {
    const second = await ada.context.newPage();
    await second.goto(ada.page.url());
    await columnOf(second, "To do").getByText("Behind it").waitFor();
    await quickAdd(second, "From the second tab");
    await columnOf(ada.page, "To do").getByText("From the second tab").waitFor();
    await columnOf(bob.page, "To do").getByText("From the second tab").waitFor();
    await quickAdd(bob.page, "To both tabs");
    for (const page of [ada.page, second]) await columnOf(page, "To do").getByText("To both tabs").waitFor();
    await ada.page.close();
    await quickAdd(second, "Working alone");
    await columnOf(bob.page, "To do").getByText("Working alone").waitFor();
    ada = { ...ada, page: second };
  }, 120_000);

  test("who is removed loses sight of the space, and is told so", async () => {
    await ada.page.getByRole("link", { name: "Members" }).click();
    await ada.page.getByRole("listitem").filter({ hasText: "Bob" }).getByRole("button", { name: "Remove" }).click();
    await bob.page.getByText("no longer available").waitFor();
    await bob.page.getByRole("button", { name: "Spaces: Personal" }).waitFor();
    const left = await bob.page.evaluate(async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name ?? "");
      const texts = await Promise.all(
        names.map(
          (name) =>
            new Promise<string>((resolve) => {
              const opening = indexedDB.open(name);
              opening.onsuccess = () => {
                const all = opening.result.transaction("documents").objectStore("documents").getAll();
                all.onsuccess = () => {
                  opening.result.close();
                  resolve(JSON.stringify(all.result));
                };
              };
            }),
        ),
      );
      return texts.join("");
    });
    expect(left).not.toContain("Behind it");
  }, 120_000);
});
