/** The page is opened while its server is away or replaced: it comes from the browser, and a tab that is open is told of a new edition. */
import { expect, test } from "bun:test";
import {
  columnOf,
  newProject,
  type Page,
  quickAdd,
  register,
  saved,
  type Visitor,
  visitor,
} from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { freePort, temporaryFolder } from "../system/server.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 60_000;

/** A proxy in front of a server whose assets are called otherwise once `isNext`, as those of a new edition are. */
function editions(port: number, target: string) {
  let isNext = false;
  let names: string[] = [];
  const suffix = "next";
  const renamed = (text: string) =>
    names.reduce((all, name) => all.replaceAll(name, name.replace(/\.(\w+)$/, `${suffix}.$1`)), text);
  const begin = () =>
    Bun.serve({
      port,
      hostname: "127.0.0.1",
      idleTimeout: 0,
      async fetch(request) {
        const { pathname, search } = new URL(request.url);
        const isAsset = pathname.startsWith("/assets/");
        if (names.length === 0) {
          const worker = await (await fetch(`${target}/service-worker.js`)).text();
          names = [...worker.matchAll(/assets\/([\w.-]+)/g)].map(([, name]) => name as string);
        }
        if (isAsset && pathname.includes(`${suffix}.`) !== isNext) return new Response("gone", { status: 404 });
        const asked = new Headers(request.headers);
        if (isNext) asked.delete("if-none-match");
        const answer = await fetch(target + pathname.replace(`${suffix}.`, ".") + search, {
          method: request.method,
          headers: asked,
          redirect: "manual",
          signal: request.signal,
          ...(request.body === null ? {} : { body: await request.arrayBuffer() }),
        });
        const headers = new Headers(answer.headers);
        for (const name of ["content-encoding", "content-length", "transfer-encoding"]) headers.delete(name);
        if (!isNext || !(isAsset || ["/", "/service-worker.js"].includes(pathname)))
          return new Response(answer.body, { status: answer.status, headers });
        headers.delete("etag");
        return new Response(renamed(await answer.text()), { status: answer.status, headers });
      },
    });
  let server = begin();
  return {
    async replace() {
      await server.stop(true);
      isNext = true;
      server = begin();
    },
    stop: () => server.stop(true),
  };
}

const workerIsThere = (page: Page) =>
  poll("the service worker serves the page", waitMs, () =>
    page.evaluate(async () => {
      await navigator.serviceWorker.ready;
      return navigator.serviceWorker.controller !== null;
    }),
  );

await describePage("the page is opened", {}, ({ chromium, another }) => {
  async function withTask(url: string): Promise<Visitor> {
    const ada = await visitor(chromium, `${url}/`);
    await register(ada.page, "Ada");
    await newProject(ada.page, "Launch");
    await quickAdd(ada.page, "Kept");
    await saved(ada.page);
    await workerIsThere(ada.page);
    return ada;
  }

  test.each([
    ["a proxy says that the server is away", () => new Response("<h1>Bad gateway</h1>", { status: 502 })],
    ["nobody answers", () => new Promise<Response>(() => undefined)],
  ])(
    "from the browser where %s, with what is waiting",
    async (_, answer) => {
      const ports = [await freePort(), await freePort()] as const;
      const dataDir = temporaryFolder();
      const first = await another({ ports, dataDir });
      const { page, context } = await withTask(first.url);
      await first.end("SIGKILL");
      await quickAdd(page, "Waiting");
      const proxy = Bun.serve({ port: ports[0], hostname: "127.0.0.1", idleTimeout: 0, fetch: answer });
      await page.reload();
      for (const title of ["Kept", "Waiting"]) await columnOf(page, "To do").getByText(title).waitFor();
      await proxy.stop(true);
      const second = await another({ ports, dataDir });
      await page.getByText("All changes saved").waitFor({ timeout: waitMs });
      await context.close();
      await second.end("SIGTERM");
    },
    240_000,
  );

  test.each([
    ["by the button", (page: Page) => page.getByRole("button", { name: "Load it" }).click()],
    ["by the browser", (page: Page) => page.reload()],
  ])(
    "a tab is told of a new edition, goes on with its own files until it loads it %s, and leaves what others keep on the host",
    async (_, load) => {
      const port = await freePort();
      const system = await another({ env: { TT_PUBLIC_URL: `http://127.0.0.1:${port}` } });
      const proxy = editions(port, system.url);
      const { page, context } = await visitor(chromium, `http://127.0.0.1:${port}/`);
      await register(page, "Ada");
      await newProject(page, "Launch");
      await saved(page);
      await workerIsThere(page);
      await page.evaluate(() => caches.open("of somebody else"));
      await proxy.replace();
      await page.getByText("There is a new version of this page").waitFor({ timeout: waitMs });
      await page.evaluate(() => navigator.serviceWorker.getRegistration().then((worker) => worker?.update()));
      const caching = () => page.evaluate(async () => await caches.keys());
      await poll("the new edition is kept too", waitMs, async () => (await caching()).length === 3);
      // The browser aborts what the worker before has under way when the next one takes over.
      const isWaiting = () => page.evaluate(async () => (await navigator.serviceWorker.ready).waiting !== null);
      await poll("its worker waits", waitMs, isWaiting);
      expect(await caching()).toContain("of somebody else");
      // Dates are in a file of their own, which this tab has not loaded yet.
      await page.locator("body").press("c");
      await page.getByRole("dialog").getByLabel("What needs to be done?").fill("Call tomorrow");
      await page.getByRole("dialog").locator(".chip.due").getByText("Tomorrow").waitFor();
      await page.keyboard.press("Escape");
      expect(await isWaiting()).toBe(true);
      await load(page);
      await page.locator('script[src*="next."]').waitFor({ state: "attached" });
      await columnOf(page, "To do").waitFor();
      expect(await page.getByText("There is a new version").count()).toBe(0);
      // The browser gives the worker before minutes for what it still has under way: it is stopped here instead, as it is then.
      const tools = await context.newCDPSession(page);
      await tools.send("ServiceWorker.enable");
      let looks = 0;
      await poll("its worker serves", waitMs, async () => {
        if (!(await isWaiting())) return true;
        looks += 1;
        if (looks % 100 === 0) await tools.send("ServiceWorker.stopAllWorkers");
        return false;
      });
      await context.setOffline(true);
      await page.reload();
      await columnOf(page, "To do").waitFor();
      await page.locator('script[src*="next."]').waitFor({ state: "attached" });
      await context.close();
      await proxy.stop();
      await system.end("SIGTERM");
    },
    240_000,
  );
});
