/** The server goes on from an older backup while pages are open: they show what it has, and what they still keep is sent to it. */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import {
  type Account,
  newProject,
  type Page,
  quickAdd,
  register,
  saved,
  signedIn,
  titlesIn,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { freePort, type System, temporaryFolder } from "../system/server.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;

async function shows(page: Page, wanted: readonly string[]): Promise<void> {
  await poll(
    `it shows ${wanted.join(", ")}`,
    waitMs,
    async () => (await titlesIn(page, "To do")).join() === wanted.join(),
  );
}

await describePage("the page and a backup that was restored", {}, ({ chromium, another }) => {
  type Begun = Visitor & {
    readonly account: Account;
    /** What the server that runs now has. */
    readonly titles: () => Promise<string[]>;
    readonly addAsAnother: (title: string) => Promise<void>;
    readonly stop: () => Promise<void>;
    readonly run: () => Promise<void>;
    readonly backUp: () => void;
    readonly restore: () => void;
  };

  /** A page with one task, "Before". */
  async function begun(): Promise<Begun> {
    const ports = [await freePort(), await freePort()] as const;
    const folder = temporaryFolder();
    const [dataDir, backup] = [join(folder, "data"), join(folder, "backup")];
    let system: System = await another({ ports, dataDir });
    const opened = await visitor(chromium, `${system.url}/`);
    const { page } = opened;
    const account = await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "Before");
    await saved(page);
    return {
      ...opened,
      account,
      titles: async () => {
        const send = await signedIn(system.url, account);
        return (await send<{ items: { title: string }[] }>("GET", "/v1/tasks")).items.map(({ title }) => title);
      },
      addAsAnother: async (title) => {
        const send = await signedIn(system.url, account);
        await send("POST", "/v1/tasks", { title, projectId: /board\/([^/?]+)/.exec(page.url())?.[1] });
      },
      stop: async () => {
        await system.end("SIGTERM");
      },
      run: async () => {
        system = await another({ ports, dataDir });
      },
      backUp: () => cpSync(dataDir, backup, { recursive: true }),
      restore: () => {
        rmSync(dataDir, { recursive: true });
        cpSync(backup, dataDir, { recursive: true });
      },
    };
  }

  test("each tab shows what the server has now, and what was waiting is sent to it", async () => {
    const { page, context, ...server } = await begun();
    const tab = await context.newPage();
    await tab.goto(page.url());
    await shows(tab, ["Before"]);
    await server.stop();
    server.backUp();
    await server.run();
    await quickAdd(page, "Lost with the disk");
    await quickAdd(page, "Lost as well");
    await saved(page);
    // Facts come in their order: with the last one they all have been told.
    await server.addAsAnother("Lost at the end");
    const all = ["Before", "Lost with the disk", "Lost as well", "Lost at the end"];
    for (const each of [page, tab]) await shows(each, all);
    await server.stop();
    await page.locator(".save-state.offline").waitFor();
    await quickAdd(page, "Waiting");
    server.restore();
    await server.run();
    for (const each of [page, tab]) await shows(each, ["Before", "Waiting"]);
    await saved(page);
    await server.addAsAnother("By somebody else");
    for (const each of [page, tab]) await shows(each, ["Before", "Waiting", "By somebody else"]);
    await tab.reload();
    await shows(tab, ["Before", "Waiting", "By somebody else"]);
    expect((await server.titles()).length).toBe(3);
    await context.close();
    await server.stop();
  }, 240_000);

  test("what was answered, and not told by the stream before the disk was lost, is sent once more", async () => {
    const { page, context, ...server } = await begun();
    await server.stop();
    server.backUp();
    const untold = /\/v1\/(events|spaces\/[^/]+\/facts)/;
    await page.route(untold, (route) => route.abort());
    await server.run();
    await quickAdd(page, "Answered");
    await quickAdd(page, "Answered as well");
    await saved(page);
    await server.stop();
    await page.locator(".save-state.offline").waitFor();
    await quickAdd(page, "Waiting");
    server.restore();
    await page.unroute(untold);
    await server.run();
    await poll("the server has them all", waitMs, async () => (await server.titles()).length === 4);
    await shows(page, ["Before", "Answered", "Answered as well", "Waiting"]);
    await saved(page);
    expect(new Set(await server.titles())).toEqual(new Set(["Before", "Answered", "Answered as well", "Waiting"]));
    await context.close();
    await server.stop();
  }, 240_000);
});
