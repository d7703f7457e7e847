/** Answers that are late, lost or not the server's, and what one tab must know of another: no change is lost, and nothing stays that should not. */
import { expect, test } from "bun:test";
import {
  expectNoFaults,
  newProject,
  newSpace,
  type Page,
  quickAdd,
  register,
  saved,
  signedIn,
  signIn,
  signOut,
  titlesIn,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;
const tasksOnServer = async (url: string, account: { email: string; password: string }): Promise<string[]> => {
  const send = await signedIn(url, account);
  const { items } = await send<{ items: { title: string }[] }>("GET", "/v1/tasks");
  return items.map(({ title }) => title);
};
const problem = (status: number, code: string) => ({
  status,
  contentType: "application/problem+json",
  body: JSON.stringify({ code, status, title: code, detail: code }),
});

await describePage("the page and answers that are not its server's", {}, ({ chromium, system }) => {
  test("waits longer each time where a proxy says by a date, in another form than JSON or in its own when to come again", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page } = ada;
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const answers = [
      { status: 503, headers: { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, body: "<h1>Away</h1>" },
      { status: 403, contentType: "application/json", body: JSON.stringify({ status: 403, message: "Forbidden" }) },
      { status: 502, headers: { "retry-after": "soon" }, body: "null", contentType: "application/json" },
      { status: 200, body: "<h1>Sign in to the network</h1>", contentType: "text/html" },
    ];
    const atMs: number[] = [];
    await page.route(/\/batch$/, async (route) => {
      atMs.push(Date.now());
      const answer = answers[atMs.length - 1];
      await (answer === undefined ? route.continue() : route.fulfill(answer));
    });
    await quickAdd(page, "Kept");
    await poll("it is sent", waitMs, () => atMs.length > answers.length);
    await saved(page);
    expect((atMs.at(-1) ?? 0) - (atMs[0] ?? 0)).toBeGreaterThan(3_000);
    expect(await page.locator(".note").count()).toBe(0);
    expect(await tasksOnServer(system.url, account)).toEqual(["Kept"]);
    expectNoFaults(ada);
    await ada.context.close();
  }, 180_000);

  test("sends a change once more whose verdict was to come later and is known to nobody", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page } = ada;
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const location = "/v1/spaces/me/operations/019a0000-0000-7000-8000-000000000000";
    const keys: (string | undefined)[] = [];
    await page.route(/\/batch$/, async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      await (keys.length > 1 ? route.continue() : route.fulfill({ status: 202, headers: { location }, body: "{}" }));
    });
    await quickAdd(page, "Kept");
    await poll("it is sent again", waitMs, () => keys.length > 1);
    await saved(page);
    expect(new Set(keys).size).toBe(1);
    expect(await page.locator(".note").count()).toBe(0);
    expect(await tasksOnServer(system.url, account)).toEqual(["Kept"]);
    await ada.context.close();
  }, 180_000);

  test("keeps a change as it is while a new token is refused, by whomever", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page, context } = ada;
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    let asked = 0;
    await context.route(/\/v1\/auth\/refresh/, async (route) => {
      asked += 1;
      const answer = asked === 1 ? { status: 401, body: "<h1>Who asks?</h1>" } : problem(403, "forbidden");
      await (asked > 3 ? route.continue() : route.fulfill(answer));
    });
    await page.reload();
    await quickAdd(page, "Kept");
    await poll("a token is given", waitMs, () => asked > 3);
    await saved(page);
    expect(await page.locator(".note").count()).toBe(0);
    expect(await tasksOnServer(system.url, account)).toEqual(["Kept"]);
    await context.close();
  }, 180_000);

  test("asks who is there soon after the session was ended elsewhere, though its token would go on for minutes", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const send = await signedIn(system.url, account);
    await send("POST", "/v1/auth/logout-all");
    await page.getByRole("heading", { name: "Welcome back" }).waitFor({ timeout: waitMs });
    await context.close();
  }, 180_000);

  test("gives the next one nothing that the one before had asked for", async () => {
    const other = await visitor(chromium, `${system.url}/`);
    const bob = await register(other.page, "Bob");
    await other.context.close();
    const { page, context } = await visitor(chromium, `${system.url}/`);
    await register(page, "Ada");
    await newSpace(page, "Secret plans");
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    let isAda = true;
    await page.route(/\/v1\/spaces$/, async (route) => {
      if (!isAda) return await route.continue();
      asked += 1;
      const answer = await route.fetch();
      await held;
      await route.fulfill({ response: answer });
    });
    // What the page before the reload still asked for went with it.
    page.once("framenavigated", () => {
      asked = 0;
    });
    await page.reload();
    await poll("the spaces are asked for", waitMs, () => asked > 0);
    isAda = false;
    await signOut(page);
    await page.getByRole("heading", { name: "Welcome back" }).waitFor();
    await signIn(page, bob);
    await newProject(page, "Garden");
    const told = page.waitForResponse(/\/v1\/spaces$/);
    release();
    await told;
    await quickAdd(page, "Sow");
    await saved(page);
    await page.getByRole("button", { name: /^Spaces/ }).click();
    await page.getByRole("menuitem", { name: "New space" }).waitFor();
    expect(await page.getByRole("menuitem", { name: "Secret plans" }).count()).toBe(0);
    await context.close();
  }, 180_000);
});

await describePage("a view that could not be read at first", {}, ({ chromium, system }) => {
  test("is read again while it is open: comments, what was deleted, sessions", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "Kept");
    await quickAdd(page, "Gone");
    await saved(page);
    const send = await signedIn(system.url, account);
    const { items } = await send<{ items: { id: string; title: string }[] }>("GET", "/v1/tasks");
    const [kept, gone] = ["Kept", "Gone"].map((title) => items.find((each) => each.title === title)?.id ?? "");
    await send("POST", "/v1/comments", { taskId: kept, body: "A word on it" });
    await send("DELETE", `/v1/tasks/${gone}`);
    const refusals = new Map<string, number>();
    await page.route(/comments\?|history\?|deleted=true|auth\/sessions/, async (route) => {
      const of = new URL(route.request().url()).pathname;
      refusals.set(of, (refusals.get(of) ?? 0) + 1);
      await ((refusals.get(of) ?? 0) > 1 ? route.continue() : route.fulfill(problem(503, "overloaded")));
    });
    await page.getByRole("button", { name: "Kept", exact: true }).click();
    await poll("the comments are read again", waitMs, () =>
      [...refusals].some(([of, n]) => of.includes("comments") && n > 1),
    );
    await page.locator(".sidebar").getByRole("link", { name: "Trash" }).click();
    await page.getByText("Gone").first().waitFor();
    await page.goto(`${system.url}/#/settings`);
    await poll("the sessions are read again", waitMs, () =>
      [...refusals].some(([of, n]) => of.includes("sessions") && n > 1),
    );
    await context.close();
  }, 180_000);
});

await describePage("tabs of one browser", {}, ({ chromium, system }) => {
  test("a change can be taken back in the tab that made it, though another one sent it, and while it is sent", async () => {
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await saved(page);
    const tab = await context.newPage();
    await tab.goto(page.url());
    await quickAdd(tab, "First");
    await poll("it is saved", waitMs, async () => (await tasksOnServer(system.url, account)).includes("First"));
    await page.getByText("First").first().waitFor();
    await saved(tab);
    await tab.locator("body").press("Control+z");
    await poll("it is taken back", waitMs, async () => (await tasksOnServer(system.url, account)).length === 0);

    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let isSent = false;
    let undone = 0;
    await context.route(/\/batch$/, async (route) => {
      isSent = true;
      await held;
      await route.continue();
    });
    await context.route(/\/undo$/, async (route) => {
      await route.continue();
      undone += 1;
    });
    await quickAdd(tab, "Second");
    await poll("it is under way", waitMs, () => isSent);
    await tab.locator("body").press("Control+z");
    await poll("it is not shown", waitMs, async () => (await titlesIn(tab, "To do")).length === 0);
    release();
    await poll("it is taken back at the server", waitMs, () => undone > 0);
    await poll("nothing stays", waitMs, async () => (await tasksOnServer(system.url, account)).length === 0);
    for (const each of [page, tab])
      await poll("nor here", waitMs, async () => (await titlesIn(each, "To do")).length === 0);
    await context.close();
  }, 240_000);

  test("a space that ends for somebody goes from each tab, and names that people change are told at the next visit", async () => {
    const owner = await visitor(chromium, `${system.url}/`);
    const ada = await register(owner.page, "Ada");
    await newSpace(owner.page, "Team");
    await newProject(owner.page, "Launch");
    await saved(owner.page);
    const spaceId = /#\/s\/([^/]+)/.exec(owner.page.url())?.[1] ?? "";
    const { page, context } = await visitor(chromium, `${system.url}/`);
    const bob = await register(page, "Bob");
    const [asAda, asBob] = [await signedIn(system.url, ada), await signedIn(system.url, bob)];
    const { token } = await asAda<{ token: string }>("POST", `/v1/spaces/${spaceId}/invitations`, { role: "member" });
    const member = await asBob<{ id: string }>("POST", "/v1/invitations/accept", { token });
    const members = (of: Page) => of.goto(`${system.url}/#/s/${spaceId}/members`);
    await members(owner.page);
    await owner.page.locator(".person-name", { hasText: "Bob" }).waitFor();
    await asBob("PATCH", "/v1/auth/me", { name: "Robert" });
    await owner.page.reload();
    await owner.page.locator(".person-name", { hasText: "Robert" }).waitFor();

    const tab = await context.newPage();
    for (const each of [page, tab]) {
      await members(each);
      await each.getByRole("link", { name: "Launch" }).waitFor();
    }
    await asAda("DELETE", `/v1/spaces/${spaceId}/members/${member.id}`);
    for (const each of [page, tab]) await each.getByRole("link", { name: "Launch" }).waitFor({ state: "detached" });
    for (const each of [page, tab]) await each.getByText("no longer", { exact: false }).first().waitFor();
    await context.close();
    await owner.context.close();
  }, 240_000);

  test("as many people as a space may have all get their names", async () => {
    const many = 150;
    const before = async (page: Page): Promise<void> => {
      await page.route(/\/snapshot\?/, async (route) => {
        const answer = await route.fetch();
        const lines = (await answer.text()).trimEnd().split("\n");
        const known = lines.map((line) => JSON.parse(line) as { type?: string; resource?: Record<string, unknown> });
        const own = known.find(({ type }) => type === "member")?.resource;
        const added = Array.from({ length: own === undefined ? 0 : many }, (_, place) => {
          const id = `019a0000-0000-7000-8000-${String(place).padStart(12, "0")}`;
          return JSON.stringify({ type: "member", resource: { ...own, id, userId: id, role: "member" } });
        });
        await route.fulfill({ response: answer, body: [...lines.slice(0, -1), ...added, lines.at(-1), ""].join("\n") });
      });
    };
    const { page, context } = await visitor(chromium, `${system.url}/`, { before });
    await register(page, "Ada");
    await page.locator(".sidebar").getByRole("link", { name: "Members" }).click();
    const names = () => page.locator(".person-name").allTextContents();
    await poll("all are there", waitMs, async () => (await names()).length > many);
    await poll("each has a name", waitMs, async () => (await names()).every((name) => name !== "…"));
    await context.close();
  }, 180_000);
});
