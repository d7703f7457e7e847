/** Where the page is served: below a path of a host, and without TLS to another machine. */
import { expect, test } from "bun:test";
import {
  columnOf,
  expectNoFaults,
  newProject,
  newSpace,
  quickAdd,
  register,
  saved,
  visitor,
  visitorFromElsewhere,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { freePort, temporaryFolder } from "../system/server.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;

await describePage("the page in other places", {}, ({ chromium, system, another }) => {
  test("below a path it stays there: its worker, its session, its links; it opens offline", async () => {
    const ports = [await freePort(), await freePort()] as const;
    const own = await another({ ports, env: { TT_PUBLIC_URL: `http://127.0.0.1:${ports[0]}/todo` } });
    const ada = await visitor(chromium, `${own.url}/todo/`);
    const { page, context } = ada;
    const elsewhere: string[] = [];
    page.on("request", (request) => {
      if (!new URL(request.url()).pathname.startsWith("/todo/")) elsewhere.push(request.url());
    });
    await register(page, "Ada");
    await newSpace(page, "Team");
    await newProject(page, "Launch");
    await quickAdd(page, "Below a path tomorrow");
    await saved(page);
    const scope = () => page.evaluate(async () => (await navigator.serviceWorker.ready).scope);
    expect(await scope()).toBe(`${own.url}/todo/`);
    expect((await context.cookies()).map(({ path }) => path)).toEqual(["/todo/v1/auth"]);
    await page.reload();
    await columnOf(page, "To do").getByText("Below a path").waitFor();
    await quickAdd(page, "After a reload");
    await saved(page);
    await page.getByRole("link", { name: "Members" }).click();
    await page.getByRole("button", { name: "Create link" }).click();
    const link = page.getByRole("textbox", { name: "Copy link" });
    await link.waitFor();
    expect(await link.inputValue()).toStartWith(`${own.url}/todo/#/join/ti_`);
    const bob = await visitor(chromium, await link.inputValue());
    await register(bob.page, "Bob");
    await bob.page.getByRole("button", { name: "Spaces: Team" }).waitFor();
    await page.getByRole("link", { name: "Launch" }).click();
    await context.setOffline(true);
    await page.reload();
    await columnOf(page, "To do").getByText("After a reload").waitFor();
    expect(elsewhere).toEqual([]);
    for (const one of [ada, bob]) {
      expectNoFaults(one);
      await one.context.close();
    }
    await own.end("SIGTERM");
  }, 240_000);

  test("without TLS from another machine it says so, and each tab works by itself", async () => {
    const url = `http://tracker.example:${new URL(system.url).port}/`;
    const { page, context, faults } = await visitorFromElsewhere(temporaryFolder(), url);
    await page.getByText("This address is not secure").waitFor();
    expect(await page.evaluate(() => [isSecureContext, "serviceWorker" in navigator])).toEqual([false, false]);
    await register(page, "Ada");
    await newProject(page, "Launch");
    await quickAdd(page, "First");
    await saved(page);
    const tab = await context.newPage();
    tab.on("pageerror", (error) => faults.push(error.message));
    await tab.goto(page.url());
    await columnOf(tab, "To do").getByText("First").waitFor();
    await quickAdd(tab, "Second");
    await columnOf(page, "To do").getByText("Second").waitFor();
    await saved(tab);
    await newSpace(page, "Team");
    await page.getByRole("link", { name: "Members" }).click();
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("button", { name: "Copied" }).waitFor();
    await page.goto(tab.url());
    await page.reload();
    const titles = () => columnOf(page, "To do").locator(".card-title").allTextContents();
    await poll("both are there again", waitMs, async () => (await titles()).join() === "First,Second");
    expect(faults).toEqual([]);
    await context.close();
  }, 240_000);
});
