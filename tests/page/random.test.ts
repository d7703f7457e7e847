/**
 * Two pages and the API change one board at random while their networks come and go. At the end both pages, a fresh page and the server agree, and every
 * change that was shown as saved is in the facts. `PAGE_SECONDS` says how long (5 minutes: 300), `SEED` which chances.
 */
import { expect, test } from "bun:test";
import {
  expectNoFaults,
  newProject,
  type Page,
  quickAdd,
  register,
  saved,
  signedIn,
  signIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { type Random, random } from "../system/random.ts";
import { describePage } from "./describe-page.ts";

const seconds = Number(process.env.PAGE_SECONDS ?? 10);
const seed = Number(process.env.SEED ?? Date.now() % 2 ** 32);
const waitMs = 60_000;
const columns = ["To do", "In progress", "Done"];

type Send = Awaited<ReturnType<typeof signedIn>>;
type Item = { readonly id: string; readonly title: string; readonly status: string };
type Fact = { readonly changes: readonly { readonly fields: Record<string, { readonly to: unknown }> }[] };
/** A title that a page has set, and what the note of its refusal would be about. */
type Written = { readonly by: Visitor; readonly title: string; readonly about: string };

/** What is on a board: titles by column, in their order. */
async function boardOf(page: Page): Promise<Record<string, string[]>> {
  return await page.evaluate(
    (names) =>
      Object.fromEntries(
        names.map((name) => [
          name,
          [...(document.querySelector(`.column[aria-label="${name}"]`)?.querySelectorAll(".card-title") ?? [])].map(
            ({ textContent }) => textContent ?? "",
          ),
        ]),
      ),
    columns,
  );
}

async function boardOnServer(send: Send, path: string): Promise<Record<string, string[]>> {
  const items: Item[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const more: string = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`;
    const page: { items: Item[]; nextCursor: string | null } = await send(
      "GET",
      `${path}/tasks?sort=rank&limit=100${more}`,
    );
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  const titled = (status: string) => items.filter((item) => item.status === status).map(({ title }) => title);
  return Object.fromEntries(["todo", "in_progress", "done"].map((status, at) => [columns[at], titled(status)]));
}

async function factsOf(send: Send, path: string): Promise<Set<unknown>> {
  const titles = new Set<unknown>();
  for (let after = 0; ; ) {
    const page: { items: Fact[]; after: number } = await send("GET", `${path}/facts?after=${after}&limit=1000`);
    for (const { changes } of page.items) for (const { fields } of changes) titles.add(fields.title?.to);
    if (page.items.length === 0) return titles;
    after = page.after;
  }
}

/** One thing that a person does on the board. */
async function act(who: Visitor, chance: Random, name: string, written: Written[]): Promise<void> {
  const { page } = who;
  const cards = page.locator("[data-card]");
  const count = await cards.count();
  const what = count < 3 ? "create" : chance.pick(["create", "rename", "tick", "move", "move", "delete", "undo"]);
  if (what === "create") {
    await quickAdd(page, name);
    written.push({ by: who, title: name, about: name });
    return;
  }
  // The card may go to another place, or away, between two of these steps: then the person does nothing.
  const card = cards.nth(chance.int(count));
  const about = await card
    .locator(".card-title")
    .textContent({ timeout: 1_000 })
    .catch(() => null);
  const isFocused = await card.focus({ timeout: 1_000 }).then(
    () => true,
    () => false,
  );
  if (about === null || !isFocused) return;
  if (what === "tick") await page.keyboard.press("x");
  else if (what === "move") await page.keyboard.press(chance.pick(["Shift+l", "Shift+h", "Shift+j", "Shift+k"]));
  else if (what === "undo") {
    // What waits would be taken back before it is sent, and be in no fact.
    if (await page.getByText("All changes saved").isVisible()) await page.keyboard.press("Control+z");
  } else {
    await page.keyboard.press("e");
    const panel = page.getByRole("complementary");
    const title = panel.getByRole("textbox", { name: "Title" });
    try {
      if (what === "rename") {
        const before = await title.inputValue({ timeout: 2_000 });
        await title.fill(name, { timeout: 2_000 });
        await title.press("Enter", { timeout: 2_000 });
        written.push({ by: who, title: name, about: before });
      } else {
        await panel.getByRole("button", { name: "More actions" }).first().click({ timeout: 2_000 });
        await page.getByRole("menuitem", { name: "Delete task" }).click({ timeout: 2_000 });
      }
    } catch {
      // Somebody else has just deleted it.
    }
    await page.keyboard.press("Escape");
    await page.keyboard.press("Escape");
  }
}

async function actByApi(send: Send, path: string, chance: Random, name: string, projectId: string): Promise<void> {
  const { items } = await send<{ items: Item[] }>("GET", `${path}/tasks?limit=100`);
  const body = chance.pick([{ title: name }, { status: "done" }, { status: "in_progress" }, { priority: "high" }]);
  if (items.length < 3 || chance.chance(0.3)) await send("POST", `${path}/tasks`, { title: name, projectId });
  else await send("PATCH", `${path}/tasks/${chance.pick(items).id}`, body).catch(() => undefined);
}

await describePage("two pages and the API at random", { onServers: true }, ({ chromium, system }) => {
  test(
    `agree after ${seconds} s with network cuts, and nothing shown as saved is lost (seed ${seed})`,
    async () => {
      const chance = random(seed);
      const ada = await visitor(chromium, `${system.url}/`);
      const account = await register(ada.page, "Ada");
      await newProject(ada.page, "Launch");
      await quickAdd(ada.page, "First");
      await saved(ada.page);
      const address = ada.page.url();
      const send = await signedIn(system.url, account);
      const path = "/v1/spaces/me";
      const projectId = /board\/([^/?]+)/.exec(address)?.[1] ?? "";
      const enter = async (): Promise<Visitor> => {
        const other = await visitor(chromium, address);
        await signIn(other.page, account);
        await other.page.locator(".column").first().waitFor();
        return other;
      };
      const pages = [ada, await enter()];
      const written: Written[] = [];
      const until = performance.now() + seconds * 1_000;
      for (let step = 0; performance.now() < until; step++) {
        const who = chance.pick(pages);
        if (chance.chance(0.15)) await who.context.setOffline(chance.chance(0.6));
        if (chance.chance(0.25)) await actByApi(send, path, chance, `By the API ${step}`, projectId);
        else await act(who, chance, `By page ${pages.indexOf(who)} ${step}`, written);
      }
      for (const { context, page } of pages) {
        await context.setOffline(false);
        await page.getByText("All changes saved").waitFor({ state: "attached", timeout: waitMs });
      }
      const fresh = await enter();
      let seen: unknown;
      const agree = async () => {
        const wanted = await boardOnServer(send, path);
        const boards = await Promise.all([...pages, fresh].map(({ page }) => boardOf(page)));
        seen = { wanted, boards };
        return boards.every((board) => Bun.deepEquals(board, wanted));
      };
      await poll("all boards are the server's", waitMs, agree, 250).catch((error) => {
        throw new Error(`${error} (seed ${seed}): ${JSON.stringify(seen)}`);
      });
      const facts = await factsOf(send, path);
      const lost: Written[] = [];
      for (const each of written) if (!facts.has(each.title)) lost.push(each);
      for (const { by, title, about } of lost) {
        // Not in the facts: then its author was told so.
        const notes = await by.page.getByRole("region", { name: "Changes that could not be saved" }).textContent();
        expect(notes ?? "", `${title} about ${about} (seed ${seed})`).toContain(about);
      }
      expect(written.length).toBeGreaterThan(0);
      for (const one of [...pages, fresh]) {
        expectNoFaults(one);
        await one.context.close();
      }
    },
    seconds * 1_000 + 300_000,
  );
});
