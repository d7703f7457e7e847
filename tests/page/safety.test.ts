/** The page against texts that want to run, and for people who cannot see or point: every view, light and dark, wide and narrow. */
import { expect, test } from "bun:test";
import {
  type Account,
  columnOf,
  expectNoFaults,
  newProject,
  quickAdd,
  register,
  saved,
  signedIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { violations } from "./axe.ts";
import { describePage } from "./describe-page.ts";
import { hostileTexts } from "./hostile-texts.ts";

const waitMs = 60_000;

const accountOf = (token: string): string =>
  (JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as { sub: string }).sub;

/** A task is deleted elsewhere while this page renames it without a network. */
async function refusal({ page, context }: Visitor, url: string, account: Account): Promise<void> {
  await quickAdd(page, "Doomed");
  await saved(page);
  await context.setOffline(true);
  await page.locator(".save-state.offline").waitFor({ state: "attached" });
  await columnOf(page, "To do").getByRole("button", { name: "Doomed", exact: true }).click();
  await page.getByRole("textbox", { name: "Title" }).fill("Renamed");
  await page.getByRole("textbox", { name: "Title" }).press("Enter");
  await page.keyboard.press("Escape");
  const send = await signedIn(url, account);
  const { items } = await send<{ items: { id: string }[] }>("GET", "/v1/tasks?q=Doomed");
  await send("DELETE", `/v1/tasks/${items[0]?.id}`);
  await context.setOffline(false);
  await page.getByRole("region", { name: "Changes that could not be saved" }).waitFor();
}

await describePage("the page", {}, ({ chromium, system }) => {
  test.each([{ isNarrow: false }, { isNarrow: true }])(
    "has no fault that axe-core knows, in any view, light and dark (narrow: $isNarrow)",
    async (look) => {
      const ada: Visitor = await visitor(chromium, `${system.url}/`, look);
      const { page } = ada;
      const found: Record<string, string[]> = {};
      const toTheme = async (colorScheme: "light" | "dark") => {
        await page.emulateMedia({ colorScheme });
        await page.locator(`html[data-theme=${colorScheme}]`).waitFor();
      };
      const look_at = async (view: string) => {
        found[view] = await violations(page);
        // Dark is the same but for its colours.
        await toTheme("dark");
        found[`${view}, dark`] = await violations(page, ["color-contrast"]);
        await toTheme("light");
      };
      await look_at("sign in");
      await page.getByRole("button", { name: "Create account" }).click();
      await look_at("register");
      const account = await register(page, "Ada");
      const menu = async () => {
        if (look.isNarrow) await page.getByRole("button", { name: "Open menu" }).click();
      };
      await look_at("empty day");
      await menu();
      await newProject(page, "Launch");
      await look_at("empty board");
      for (const line of ["Write today !high #marketing @ada", "Fix !urgent #bug yesterday", "Done soon !low"])
        await quickAdd(page, line);
      await columnOf(page, "To do")
        .getByRole("button", { name: /^Done soon/ })
        .focus();
      await page.keyboard.press("x");
      await page.getByRole("status").filter({ hasText: "Completed" }).waitFor();
      await look_at("board");
      await columnOf(page, "To do")
        .getByRole("button", { name: /^Write/ })
        .click();
      await page.getByLabel("Write a comment").fill("A comment");
      await page.getByRole("button", { name: "Comment", exact: true }).click();
      await saved(page);
      await look_at("panel");
      await page.getByRole("button", { name: "Add a description" }).click();
      await look_at("description editor");
      await page.getByRole("textbox", { name: "Description" }).press("Escape");
      await page.locator(".comment").getByRole("button", { name: "More actions" }).click();
      await look_at("menu of a comment");
      await page.getByRole("menuitem", { name: "Edit comment" }).click();
      await look_at("comment editor");
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Add subtask" }).click();
      await page.locator(".quick-add.inline input").fill("A part #of !low tomorrow");
      await look_at("subtask being added");
      await page.locator(".quick-add.inline input").press("Enter");
      await page.locator(".quick-add.inline input").press("Escape");
      await page.getByRole("complementary").getByRole("combobox", { name: "Priority" }).selectOption("low");
      await saved(page);
      await page.getByRole("tab", { name: "History" }).click();
      await page.locator(".history-item").first().waitFor();
      await look_at("history");
      await page.getByRole("slider").focus();
      await page.keyboard.press("ArrowLeft");
      await page.locator(".past strong").waitFor();
      await look_at("a version of the past");
      await page.keyboard.press("Escape");
      await page.keyboard.press("Control+k");
      await look_at("palette");
      await page.keyboard.press("Escape");
      await page.locator("body").press("?");
      await look_at("keys");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Project settings" }).click();
      await look_at("project settings");
      await page.keyboard.press("Escape");
      await page.locator("body").press("c");
      await page.getByRole("dialog").getByRole("textbox").fill("Chips tomorrow #label !high @ada");
      await page.getByRole("dialog").locator(".chip.due").waitFor();
      await look_at("quick add");
      await page.keyboard.press("Escape");
      await page.locator("[data-card]").first().focus();
      await page.keyboard.press("m");
      await look_at("move to");
      await page.keyboard.press("Escape");
      await refusal(ada, system.url, account);
      await look_at("a refused change");
      await menu();
      await page.getByRole("button", { name: /^Spaces/ }).click();
      await look_at("switcher");
      await page.keyboard.press("Escape");
      if (look.isNarrow) await page.locator(".scrim").click({ position: { x: 380, y: 400 } });
      for (const [name, path] of [
        ["day", "#/day"],
        ["settings", "#/settings"],
      ] as const) {
        await page.evaluate((to) => {
          location.hash = to;
        }, path);
        await page.getByRole("heading", { level: 1, name: name === "day" ? "My day" : "Settings" }).waitFor();
        await look_at(name);
      }
      for (const view of ["List", "Members", "Trash"]) {
        await menu();
        await page.getByRole("link", { name: view, exact: true }).click();
        await page.getByRole("heading", { level: 1, name: view }).waitFor();
        await look_at(view);
      }
      for (const query of ["group=due&sort=title&done=1", "q=nothing-like-it"]) {
        await page.evaluate(
          (to) => {
            location.hash = to;
          },
          `#/s/${/#\/s\/([^/]+)/.exec(page.url())?.[1]}/list?${query}`,
        );
        await page.getByRole("heading", { level: 1, name: "List" }).waitFor();
        await look_at(`list ${query}`);
      }
      await menu();
      await page.getByRole("button", { name: /^Spaces/ }).click();
      await page.getByRole("menuitem", { name: "New space" }).click();
      await look_at("naming a space");
      await page.getByLabel("Space name").fill("Team");
      await page.getByRole("button", { name: "Create", exact: true }).click();
      await page.getByRole("heading", { name: "No tasks yet" }).waitFor();
      await menu();
      await page.getByRole("link", { name: "Members", exact: true }).click();
      await page.getByRole("button", { name: "Create link" }).click();
      await page.getByRole("textbox", { name: "Copy link" }).waitFor();
      await look_at("members and an invitation");
      expect(Object.fromEntries(Object.entries(found).filter(([, faults]) => faults.length > 0))).toEqual({});
      expectNoFaults(ada);
      await ada.context.close();
    },
    180_000,
  );
});

await describePage("the page as texts come in", { onServers: true }, ({ chromium, system }) => {
  test(`shows ${hostileTexts.length} texts that want to run in every field as what they are: texts`, async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page } = ada;
    const { email, password } = await register(page, "<img src=x onerror=ran()>");
    await page.evaluate(() => {
      Object.assign(globalThis, {
        ran: () => document.documentElement.setAttribute("data-ran", "1"),
        alert: () => document.documentElement.setAttribute("data-ran", "1"),
      });
    });
    const signedIn = await fetch(`${system.url}/v1/auth/login`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ email, password }),
    });
    const { accessToken } = (await signedIn.json()) as { accessToken: string };
    const send = async (method: string, path: string, body: unknown) => {
      const headers = {
        "content-type": "application/json",
        authorization: `Bearer ${accessToken}`,
        "idempotency-key": crypto.randomUUID(),
      };
      const ask = () => fetch(system.url + path, { method, headers, body: JSON.stringify(body) });
      let answer = await ask();
      // A machine that is busy elsewhere.
      await poll("the server has time for it", waitMs, async () => {
        if (answer.status === 503) answer = await ask();
        return answer.status !== 503;
      });
      expect(answer.status, await answer.clone().text()).toBeLessThan(300);
      return (await answer.json()) as { id: string; items: { id: string }[] };
    };
    const worst = hostileTexts.slice(0, 20).join(" ").slice(0, 190);
    const { id: projectId } = await send("POST", "/v1/projects", {
      name: worst,
      description: worst,
      columns: [{ id: crypto.randomUUID(), name: worst.slice(0, 100), status: "todo" }],
    });
    const changes = hostileTexts.map((text) => ({
      type: "task",
      kind: "create",
      body: { title: text.slice(0, 500), description: text, labels: [text.slice(0, 50)], projectId },
    }));
    const made = await send("POST", "/v1/batch", { changes: changes.slice(0, 400) });
    await send("POST", "/v1/auth/tokens", { name: worst });
    await send("PATCH", "/v1/spaces/me", { name: worst });
    await send("POST", "/v1/tasks", { title: worst, due: { date: new Date().toISOString().slice(0, 10) } });
    const { id: teamId } = await send("POST", "/v1/spaces", { name: worst });
    await send("POST", `/v1/spaces/${teamId}/invitations`, { role: "member", note: worst });
    const { id: gone } = await send("POST", "/v1/projects", { name: worst });
    const removed = await fetch(`${system.url}/v1/projects/${gone}`, {
      method: "DELETE",
      headers: { authorization: `Bearer ${accessToken}` },
    });
    expect(removed.status).toBe(204);
    // One task has all of them, as its description, comments and history.
    const first = made.items[0]?.id ?? "";
    await send("PATCH", `/v1/tasks/${first}`, { description: hostileTexts.join("\n\n").slice(0, 20_000) });
    await send("POST", "/v1/comments", {
      taskId: first,
      body: hostileTexts.toReversed().join("\n\n").slice(0, 20_000),
    });
    // Not by its name: the page may show the deleted one a moment longer.
    await page.locator(`.nav-item[href$="/board/${projectId}"]`).click();
    await page
      .locator(".card")
      .nth(hostileTexts.length - 1)
      .waitFor({ state: "attached" });
    await page.locator(".card-main").first().click();
    await page.locator(".comment .markdown").waitFor();
    await page.getByRole("tab", { name: "History" }).click();
    await page.locator(".diff").first().waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("link", { name: "List", exact: true }).click();
    await page
      .locator(".task-row")
      .nth(hostileTexts.length - 1)
      .waitFor({ state: "attached" });
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox", { name: "Search tasks, projects and commands" }).fill("script");
    await page.keyboard.press("Escape");
    const ran: boolean[] = [];
    await page.locator("[data-card]").nth(1).focus();
    await page.keyboard.press("x");
    await page.locator(".toast").waitFor();
    const own = `s/${accountOf(accessToken)}`;
    for (const path of ["day", "settings", `${own}/trash`, `s/${teamId}/members`, `${own}/list?group=project&done=1`]) {
      await page.evaluate((to) => {
        location.hash = to;
      }, `#/${path}`);
      await page.locator(".person-row, .task-row").first().waitFor();
      ran.push(await page.evaluate(() => document.documentElement.hasAttribute("data-ran")));
    }
    expect(ran).not.toContain(true);
    await page.getByRole("button", { name: /^Spaces/ }).click();
    await page.getByRole("menuitem").nth(1).waitFor();
    await page.keyboard.press("Escape");
    const state = await page.evaluate(() => ({
      ran: document.documentElement.hasAttribute("data-ran"),
      made: document.querySelectorAll("#app :is(script, img, iframe, object, embed, style, base, meta, form[action])")
        .length,
      handlers: [...document.querySelectorAll("#app *")].filter((each) =>
        [...each.attributes].some(({ name }) => name.startsWith("on")),
      ).length,
      links: [...document.querySelectorAll<HTMLAnchorElement>("#app a[href]")].map(({ protocol }) => protocol),
    }));
    expect({
      ...state,
      links: [...new Set(state.links)].filter((each) => !["http:", "https:", "mailto:"].includes(each)),
    }).toEqual({ ran: false, made: 0, handlers: 0, links: [] });
    expectNoFaults(ada);
    await ada.context.close();
  }, 180_000);
});
