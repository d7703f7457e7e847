/** What the server does not take: those behind it go on or are told to wait, and what was to be changed stays to be read. */
import { expect, test } from "bun:test";
import { columnOf, newProject, type Page, quickAdd, register, saved, signedIn, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const problem = (status: number, code: string) => ({
  status,
  contentType: "application/problem+json",
  headers: { "retry-after": "0" },
  body: JSON.stringify({ code, status, title: code, detail: `It is ${code}.` }),
});
type Tasks = { items: { id: string; title: string }[] };

await describePage("the page when a change is not taken", {}, ({ chromium, system }) => {
  async function begin(locale = "en-GB") {
    const ada = await visitor(chromium, `${system.url}/`, { locale });
    const account = await register(ada.page, "Ada");
    await newProject(ada.page, "Launch");
    await saved(ada.page);
    return { ...ada, send: await signedIn(system.url, account) };
  }
  /** Answers this to requests that name the text. */
  const refuse = async (page: Page, text: string, answer: object) => {
    const asked: string[] = [];
    await page.route(/\/batch$/, async (route) => {
      const isMeant = route.request().postData()?.includes(text) === true;
      if (isMeant) asked.push(route.request().headers()["idempotency-key"] ?? "");
      await (isMeant ? route.fulfill(answer) : route.continue());
    });
    return asked;
  };

  test("one at which the server fails each time becomes a note, those behind it go on, and it is retried as the same", async () => {
    const { page, context, send } = await begin();
    const asked = await refuse(page, "Broken", problem(500, "internal"));
    await quickAdd(page, "Broken");
    await quickAdd(page, "Behind it");
    const notes = page.getByRole("region", { name: "Changes that could not be saved" });
    await notes.getByText("It is internal.").waitFor({ timeout: waitMs });
    await saved(page);
    const titles = async () => (await send<Tasks>("GET", "/v1/tasks")).items.map(({ title }) => title).toSorted();
    expect(await titles()).toEqual(["Behind it"]);
    expect(asked.length).toBeGreaterThanOrEqual(5);
    await page.unroute(/\/batch$/);
    const again = page.waitForRequest(/\/batch$/);
    await notes.getByRole("button", { name: "Retry" }).click();
    expect((await again).headers()["idempotency-key"]).toBe(asked[0] as string);
    await notes.waitFor({ state: "detached" });
    await saved(page);
    expect(await titles()).toEqual(["Behind it", "Broken"]);
    await context.close();
  }, 180_000);

  test("one that has to wait for a busy server says so, is tried at once on demand, and can be discarded", async () => {
    const { page, context, send } = await begin();
    await refuse(page, "Held", problem(503, "overloaded"));
    await quickAdd(page, "Held up");
    await quickAdd(page, "Behind it");
    const note = page.getByRole("region", { name: "The server does not take this change now" });
    await note.getByText("Held up").waitFor({ timeout: waitMs });
    await note.getByText("It is overloaded.").waitFor();
    await page.getByText("2 waiting").waitFor();
    await note.getByRole("button", { name: "Try now" }).click();
    await note.getByRole("button", { name: "Discard" }).click();
    await note.waitFor({ state: "detached" });
    await saved(page);
    const { items } = await send<Tasks>("GET", "/v1/tasks");
    expect(items.map(({ title }) => title)).toEqual(["Behind it"]);
    expect(await columnOf(page, "To do").getByText("Held up").count()).toBe(0);
    await context.close();
  }, 180_000);

  test("a proxy whose server is away is told as offline", async () => {
    const { page, context } = await begin();
    await refuse(page, "Away", { status: 502, contentType: "text/html", body: "<h1>Bad gateway</h1>" });
    await quickAdd(page, "Away");
    await page.getByText("Offline, 1 waiting").waitFor({ timeout: waitMs });
    await page.unroute(/\/batch$/);
    await saved(page);
    await context.close();
  }, 180_000);

  test("a note shows what was to be changed: a comment's whole text, fields and their values", async () => {
    const { page, context, send } = await begin();
    await quickAdd(page, "Doomed");
    await saved(page);
    await context.setOffline(true);
    await page.locator(".save-state.offline").waitFor();
    await columnOf(page, "To do").getByRole("button", { name: "Doomed", exact: true }).click();
    const panel = page.getByRole("complementary");
    const comment = `A long word ${"on it ".repeat(100)}to the end`;
    await panel.getByLabel("Write a comment").fill(comment);
    await panel.getByRole("button", { name: "Comment", exact: true }).click();
    await panel.getByRole("combobox", { name: "Priority" }).selectOption("high");
    await panel.getByLabel("Labels").fill("shop");
    await panel.getByLabel("Labels").press("Enter");
    const { items } = await send<Tasks>("GET", "/v1/tasks");
    await send("DELETE", `/v1/tasks/${items[0]?.id}`);
    await context.setOffline(false);
    const notes = page.getByRole("region", { name: "Changes that could not be saved" });
    await poll("all three are there", waitMs, async () => (await notes.locator(".note").count()) === 3);
    const shown = await notes.locator(".note dl").allTextContents();
    expect(shown).toEqual([`Comment${comment}`, "PriorityHigh", "Labelsshop"]);
    for (let left = 3; left > 0; left--) await notes.getByRole("button", { name: "Discard" }).first().click();
    await notes.waitFor({ state: "detached" });
    await page.reload();
    await saved(page);
    expect(await notes.count()).toBe(0);
    await context.close();
  }, 180_000);

  test("in Russian, what a proxy or a store that is away answers is told in Russian", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`, { locale: "ru-RU" });
    await page.getByRole("heading", { name: "С возвращением" }).waitFor();
    const answers = [
      { status: 502, body: "<h1>Bad gateway</h1>" },
      problem(503, "users-unavailable"),
      problem(415, "unsupported-media-type"),
    ];
    let told = 0;
    await page.route(/\/auth\/login$/, (route) => route.fulfill(answers[told++] ?? { status: 500 }));
    await page.locator("input[name=email]").fill("ada@example.com");
    await page.locator("input[name=password]").fill("correct horse battery");
    for (const text of ["Сервер сейчас недоступен (статус 502)", "Сервер занят", "Сервер отклонил это"]) {
      await page.locator("form button[type=submit]").click();
      await page.getByRole("alert").getByText(text).waitFor();
    }
    await context.close();
  }, 120_000);
});
