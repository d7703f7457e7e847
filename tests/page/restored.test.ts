/** The server goes on from an older backup while pages are open: they show what it has, and keep what was waiting. */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { newProject, type Page, quickAdd, register, saved, signedIn, titlesIn, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { freePort, temporaryFolder } from "../system/server.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;

await describePage("the page and a backup that was restored", {}, ({ chromium, another }) => {
  test("each tab shows what the server has now, and what was waiting is sent to it", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const folder = temporaryFolder();
    const dataDir = join(folder, "data");
    const first = await another({ ports, dataDir });
    const { page, context } = await visitor(chromium, `${first.url}/`);
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "Before");
    await saved(page);
    const tab = await context.newPage();
    await tab.goto(page.url());
    const shows = (of: Page, wanted: readonly string[]) =>
      poll(`it shows ${wanted.join(", ")}`, waitMs, async () => (await titlesIn(of, "To do")).join() === wanted.join());
    await shows(tab, ["Before"]);
    await first.end("SIGTERM");
    cpSync(dataDir, join(folder, "backup"), { recursive: true });
    const second = await another({ ports, dataDir });
    await quickAdd(page, "Lost with the disk");
    await quickAdd(page, "Lost as well");
    await saved(page);
    for (const each of [page, tab]) await shows(each, ["Before", "Lost with the disk", "Lost as well"]);
    await second.end("SIGTERM");
    await page.locator(".save-state.offline").waitFor();
    await quickAdd(page, "Waiting");
    rmSync(dataDir, { recursive: true });
    cpSync(join(folder, "backup"), dataDir, { recursive: true });
    const third = await another({ ports, dataDir });
    for (const each of [page, tab]) await shows(each, ["Before", "Waiting"]);
    await saved(page);
    const send = await signedIn(third.url, account);
    await send("POST", "/v1/tasks", { title: "By somebody else", projectId: /board\/([^/?]+)/.exec(page.url())?.[1] });
    for (const each of [page, tab]) await shows(each, ["Before", "Waiting", "By somebody else"]);
    await tab.reload();
    await shows(tab, ["Before", "Waiting", "By somebody else"]);
    expect((await send<{ items: unknown[] }>("GET", "/v1/tasks")).items.length).toBe(3);
    await context.close();
    await third.end("SIGTERM");
  }, 240_000);
});
