/** The page as one person uses it, in a real browser against the real server. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  type Account,
  columnOf,
  expectNoFaults,
  newProject,
  quickAdd,
  register,
  saved,
  signedIn,
  signIn,
  signOut,
  titlesIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { start } from "../system/server.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 30_000;

await describePage("the page for one person", { onServers: true }, ({ chromium, system }) => {
  let ada: Visitor;
  let account: Account;
  beforeAll(async () => {
    ada = await visitor(chromium, `${system.url}/`);
    account = await register(ada.page, "Ada");
    await newProject(ada.page, "Launch");
  }, 180_000);
  afterAll(async () => {
    await ada?.context.close();
  }, 120_000);

  const own = async <Body>(path: string): Promise<Body> => {
    const send = await signedIn(system.url, account);
    return await send<Body>("GET", path);
  };

  test("understands a line of text, and the server has what it shows", async () => {
    const { page } = ada;
    await page.locator("body").press("c");
    const line = page.getByRole("dialog").getByLabel("What needs to be done?");
    await line.fill("Write the announcement tomorrow 9am #marketing !high @ada");
    await page.getByRole("dialog").getByText("Tomorrow").waitFor();
    await line.press("Enter");
    await columnOf(page, "To do").getByText("Write the announcement").waitFor();
    await saved(page);
    const { items } = await own<{ items: Record<string, unknown>[] }>("/v1/tasks");
    expect(items).toHaveLength(1);
    expect(items[0]).toMatchObject({ title: "Write the announcement", labels: ["marketing"], priority: "high" });
    expect(items[0]?.due).toMatchObject({ time: "09:00" });
    expect(items[0]?.assigneeIds).toHaveLength(1);
    expectNoFaults(ada);
  }, 120_000);

  test("moves cards by pointer and by keys, and takes a move back", async () => {
    const { page } = ada;
    await quickAdd(page, "Second");
    await quickAdd(page, "Third");
    const from = await columnOf(page, "To do").getByText("Third").boundingBox();
    const to = await columnOf(page, "In progress").locator(".cards").boundingBox();
    if (from === null || to === null) throw new Error("Cannot see the cards");
    await page.mouse.move(from.x + 10, from.y + 8);
    await page.mouse.down();
    await page.mouse.move(from.x + 40, from.y + 20, { steps: 4 });
    await page.mouse.move(to.x + 100, to.y + 40, { steps: 8 });
    await page.mouse.up();
    await columnOf(page, "In progress").getByText("Third").waitFor();
    await columnOf(page, "To do").getByRole("button", { name: "Second", exact: true }).focus();
    await page.keyboard.press("Shift+ArrowUp");
    await poll("it is the first", waitMs, async () => (await titlesIn(page, "To do"))[0] === "Second");
    await page.keyboard.press("Shift+ArrowRight");
    await columnOf(page, "In progress").getByText("Second").waitFor();
    await saved(page);
    await page.keyboard.press("Control+z");
    await columnOf(page, "To do").getByText("Second").waitFor();
    await saved(page);
    const { items } = await own<{ items: { title: string; status: string }[] }>("/v1/tasks?status=in_progress");
    expect(items.map(({ title }) => title)).toEqual(["Third"]);
    expectNoFaults(ada);
  }, 120_000);

  test("moves a card by its menu alone", async () => {
    const { page } = ada;
    await columnOf(page, "To do").getByRole("button", { name: "Second", exact: true }).focus();
    await page.keyboard.press("m");
    await page.getByRole("dialog").getByRole("button", { name: "Done" }).click();
    await columnOf(page, "Done").getByText("Second").waitFor();
    await saved(page);
    expectNoFaults(ada);
  }, 120_000);

  test("edits a task, shows its description as text and its history with a way back", async () => {
    const { page } = ada;
    await columnOf(page, "In progress").getByRole("button", { name: "Third", exact: true }).click();
    const panel = page.getByRole("complementary");
    await panel.getByRole("textbox", { name: "Title" }).fill("The third");
    await panel.getByRole("textbox", { name: "Title" }).press("Enter");
    await columnOf(page, "In progress").getByText("The third").waitFor();
    await panel.getByRole("button", { name: "Add a description" }).click();
    await panel
      .getByRole("textbox", { name: "Description" })
      .fill("# Plan\n\n- **bold** step\n- [link](https://example.com/)");
    await panel.getByRole("button", { name: "Save" }).click();
    await panel.getByRole("heading", { name: "Plan" }).waitFor();
    expect(await panel.locator(".markdown strong").textContent()).toBe("bold");
    await panel.getByLabel("Write a comment").fill("Looks *good*");
    await panel.getByRole("button", { name: "Comment", exact: true }).click();
    await panel.locator(".comment em").waitFor();
    await saved(page);
    await panel.getByRole("tab", { name: "History" }).click();
    await panel.locator(".diff", { hasText: "Third" }).getByRole("button", { name: "Bring back" }).click();
    await columnOf(page, "In progress").getByRole("button", { name: "Third", exact: true }).waitFor();
    await saved(page);
    await page.keyboard.press("Escape");
    await panel.waitFor({ state: "detached" });
    expectNoFaults(ada);
  }, 120_000);

  test("has it all again after a reload, and signs out", async () => {
    const { page } = ada;
    const before = await titlesIn(page, "In progress");
    await page.reload();
    await columnOf(page, "In progress").getByText("Third").waitFor();
    expect(await titlesIn(page, "In progress")).toEqual(before);
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    expect(kept).not.toMatch(/eyJ|tt_|rt_/);
    await signOut(page);
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await signIn(page, account);
    await page.getByRole("link", { name: "Launch" }).click();
    await columnOf(page, "In progress").getByText("Third").waitFor();
    expectNoFaults(ada);
  }, 120_000);
});

/** Of all that a browser asks for before somebody can sign in, as it comes by gzip. */
async function firstLoadBytes(url: string, html: string): Promise<number> {
  const paths = ["/", ...[...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path as string)];
  expect(paths.length).toBeGreaterThan(4);
  const sizes = await Promise.all(
    paths.map(async (path) => {
      const answer = await fetch(url + path, {
        headers: { "accept-encoding": "gzip" },
        decompress: false,
      } as RequestInit);
      expect([path, answer.status]).toEqual([path, 200]);
      return (await answer.arrayBuffer()).byteLength;
    }),
  );
  return sizes.reduce((sum, each) => sum + each, 0);
}

describe("the page's own files", () => {
  test("are compressed, kept for ever by their names, small, and left out with TT_PAGE=off", async () => {
    const system = await start();
    const answer = await fetch(`${system.url}/`, { headers: { accept: "text/html" } });
    const html = await answer.text();
    expect(answer.headers.get("content-security-policy")).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
    const [, script = ""] = /<script type="module" src="([^"]+)">/.exec(html) ?? [];
    expect(html.replace(/<script[^>]+src=[^>]+><\/script>/, "")).not.toContain("<script");
    const asset = await fetch(system.url + script, {
      headers: { "accept-encoding": "gzip" },
      decompress: false,
    } as RequestInit);
    expect(asset.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(asset.headers.get("content-encoding")).toBe("gzip");
    expect((await asset.arrayBuffer()).byteLength).toBeLessThanOrEqual(100 * 1024);
    expect(await firstLoadBytes(system.url, html)).toBeLessThanOrEqual(150 * 1024);
    const again = await fetch(`${system.url}/`, { headers: { "if-none-match": answer.headers.get("etag") ?? "" } });
    expect(again.status).toBe(304);
    expect((await fetch(`${system.url}/assets/none.js`)).status).toBe(404);
    await system.end("SIGTERM");
    const without = await start({ env: { TT_PAGE: "off" } });
    const led = await fetch(`${without.url}/`, { redirect: "manual" });
    expect([led.status, led.headers.get("location")]).toEqual([303, "/docs"]);
    expect((await fetch(without.url + script)).status).toBe(404);
    await without.end("SIGTERM");
  }, 180_000);
});
