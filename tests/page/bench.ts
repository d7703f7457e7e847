/**
 * The page with one project of very many cards, in a real browser against the real server: `bun run bench:web [--cards N] [--runs N]`. Until the board can
 * be used, from the server and from the browser's own store; until a drag, a tick and what somebody else did are on the screen.
 */

import { availableParallelism, loadavg } from "node:os";
import process from "node:process";
import { helpIfAsked } from "../../bench/http/options.ts";
import { browser, closeBrowser, type Page, visitor } from "../system/browser.ts";
import { cleanUp, start } from "../system/server.ts";

helpIfAsked(import.meta.url);
const given = process.argv.slice(2);
const numberOf = (name: string, otherwise: number): number => {
  const at = given.indexOf(name);
  return at < 0 ? otherwise : Number(given[at + 1]);
};
const cards = numberOf("--cards", 5_000);
const runs = numberOf("--runs", 5);
if (!(cards >= 10 && runs >= 1)) throw new RangeError("Cannot measure: --cards from 10 and --runs from 1");

const password = "correct horse battery";
const batchMax = 500;
const pressMs = 60;
const columns = ["Backlog", "Doing", "Done"].map((name, place) => ({
  id: crypto.randomUUID(),
  name,
  status: (["todo", "in_progress", "done"] as const)[place],
}));
const projectId = crypto.randomUUID();

const had = await browser();
if ("missing" in had) throw new Error(`Cannot measure: ${had.missing}`);
const chromium = had.browser;
const system = await start({ env: { TT_RATE_LIMIT: "1000000/60" } });
try {
  const account = await fill();
  process.stderr.write(`${cards} cards made\n`);
  const figures = await measure(account);
  for (const [name, { values, aimMs }] of Object.entries(figures)) {
    const sorted = values.toSorted((a, b) => a - b);
    const median = sorted[sorted.length >> 1] ?? Number.NaN;
    const line = `${name.padEnd(34)} ${median.toFixed(0).padStart(6)} ms  (${sorted.map((each) => each.toFixed(0)).join(", ")})  aim ${aimMs} ms`;
    process.stdout.write(`${line}${median <= aimMs ? "" : "  missed"}\n`);
  }
  const load = loadavg().map((each) => each.toFixed(1));
  process.stdout.write(`${cards} cards; ${availableParallelism()} cores, load ${load.join(" ")}\n`);
} finally {
  await closeBrowser();
  await system.end("SIGTERM");
  await cleanUp();
}

type Account = { readonly email: string; readonly token: string; readonly taskIds: readonly string[] };

async function send<Body>(token: string, method: string, path: string, body: unknown): Promise<Body> {
  const answer = await fetch(system.url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`Cannot ${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as Body;
}

async function fill(): Promise<Account> {
  const email = "bench@example.com";
  const { accessToken: token } = await send<{ accessToken: string }>("", "POST", "/v1/auth/register", {
    email,
    password,
    name: "Bench",
  });
  const create = (type: string, body: object, id: string = crypto.randomUUID()) => ({ type, kind: "create", id, body });
  await send(token, "POST", "/v1/batch", {
    changes: [create("project", { name: "Large", columns }, projectId)],
  });
  const words = ["Design", "Build", "Review", "Write down", "Measure", "Take away", "Repair", "Think about"];
  const tasks = Array.from({ length: cards }, (_, place) =>
    create("task", {
      title: `${words[place % words.length]} part ${place} of the large project`,
      projectId,
      columnId: columns[place % columns.length]?.id,
      labels: place % 3 === 0 ? ["large", `label ${place % 10}`] : [],
      priority: (["none", "low", "high"] as const)[place % 3],
      ...(place % 4 === 0 ? { due: { date: "2026-12-24" } } : {}),
    }),
  );
  for (let from = 0; from < tasks.length; from += batchMax)
    await send(token, "POST", "/v1/batch", { changes: tasks.slice(from, from + batchMax) });
  return { email, token, taskIds: tasks.map(({ id }) => id) };
}

type Figures = Record<string, { values: number[]; aimMs: number }>;

async function measure(account: Account): Promise<Figures> {
  const figures: Figures = {};
  const record = (name: string, aimMs: number, value: number) => {
    figures[name] ??= { values: [], aimMs };
    figures[name].values.push(value);
  };
  for (let run = 0; run < runs; run++) {
    const address = `${system.url}/#/s/${await idOf(account)}/board/${projectId}`;
    process.stderr.write(`run ${run + 1}\n`);
    const { page, context } = await visitor(chromium, address);
    await page.locator("input[name=email]").fill(account.email);
    await page.locator("input[name=password]").fill(password);
    await page.evaluate(() => {
      const form = document.querySelector("form button[type=submit]") as HTMLButtonElement;
      form.addEventListener("click", () => Object.assign(globalThis, { begunMs: performance.now() }), {
        capture: true,
      });
    });
    await page.locator("form button[type=submit]").click();
    record("usable, from the server", 3_000, await usableMs(page, "begunMs"));
    await allShown(page);
    // What was read is kept once it has been shown.
    await page.waitForFunction(
      async (wanted) =>
        new Promise<boolean>((resolve) => {
          void indexedDB.databases().then(([first]) => {
            const opening = indexedDB.open(first?.name ?? "");
            opening.onsuccess = () => {
              const counting = opening.result.transaction("documents").objectStore("documents").count();
              counting.onsuccess = () => {
                opening.result.close();
                resolve(counting.result >= wanted);
              };
            };
          });
        }),
      cards,
    );
    await page.reload({ waitUntil: "commit" });
    record("usable, from the browser's store", 1_500, await usableMs(page, undefined));
    await allShown(page);
    record("a drag shows", 50, await dragMs(page));
    record("a tick shows", 50, await tickMs(page));
    record("what another did shows", 500, await othersMs(page, account, run));
    await context.close();
  }
  return figures;
}

async function idOf({ token }: Account): Promise<string> {
  const answer = await fetch(`${system.url}/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } });
  return ((await answer.json()) as { id: string }).id;
}

/** Cards are there, and a task that asks for a turn of the event loop gets it: from the given moment, else from the navigation. */
async function usableMs(page: Page, since: "begunMs" | undefined): Promise<number> {
  return await page.evaluate(
    (name) =>
      new Promise<number>((resolve) => {
        const look = () => {
          if (document.querySelector(".card") === null) return requestAnimationFrame(look);
          requestAnimationFrame(() =>
            setTimeout(() => {
              const begunMs = name === undefined ? 0 : (globalThis as unknown as { begunMs: number }).begunMs;
              resolve(performance.now() - begunMs);
            }),
          );
          return undefined;
        };
        look();
      }),
    since,
  );
}

async function allShown(page: Page): Promise<void> {
  await page.waitForFunction((wanted) => document.querySelectorAll(".card").length >= wanted, cards);
}

/** From letting go until the card is on the screen in its new column. */
async function dragMs(page: Page): Promise<number> {
  const card = await page.locator(".column").nth(0).locator(".card").nth(2).boundingBox();
  const to = await page.locator(".column").nth(1).locator(".card").nth(1).boundingBox();
  if (card === null || to === null) throw new Error("Cannot see the cards");
  await page.mouse.move(card.x + 60, card.y + 15);
  await page.mouse.down();
  await page.mouse.move(card.x + 90, card.y + 30, { steps: 3 });
  await page.mouse.move(to.x + 80, to.y + 20, { steps: 5 });
  await watch(page, "pointerup", { gone: ".ghost" });
  await page.mouse.up();
  return await shownMs(page);
}

/** As a hand does it: the pointer is there, and the button is held for a moment. Else the wait for what the page does when it is pointed at and pressed would be counted. */
async function tickMs(page: Page): Promise<number> {
  const tick = await page.locator(".column").nth(0).locator(".tick").nth(1).boundingBox();
  if (tick === null) throw new Error("Cannot see the cards");
  await page.mouse.move(tick.x + tick.width / 2, tick.y + tick.height / 2);
  await page.mouse.down();
  await page.waitForTimeout(pressMs);
  await watch(page, "click", { there: ".toast" });
  await page.mouse.up();
  return await shownMs(page);
}

type Sign = { readonly gone?: string; readonly there?: string };

/**
 * Counts from the event until the frame in which the sign is there has been shown, as the browser itself measures that (Event Timing: from the moment of the
 * input to the presentation of the next frame, in steps of 8 ms). Where that frame had no sign of it yet, until a later one is made.
 */
async function watch(page: Page, event: string, sign: Sign): Promise<void> {
  await page.evaluate(
    ({ event: name, sign: { gone, there } }) => {
      const isThere = () =>
        gone === undefined ? document.querySelector(there ?? "") !== null : document.querySelector(gone) === null;
      const presented = new Promise<number>((resolve) => {
        const observer = new PerformanceObserver((list) => {
          for (const { name: of, duration } of list.getEntries()) if (of === name) resolve(duration);
        });
        observer.observe({ type: "event", durationThreshold: 16 } as PerformanceObserverInit);
        // What took less is not told.
        addEventListener(name, () => setTimeout(() => resolve(16), 1_000), { capture: true, once: true });
      });
      const framed = new Promise<number>((resolve) => {
        addEventListener(
          name,
          ({ timeStamp }) => {
            // After the frame: to look through all that is there takes milliseconds, which are not the page's.
            const look = () => {
              const frameMs = performance.now() - timeStamp;
              setTimeout(() => {
                if (isThere()) resolve(frameMs);
                else requestAnimationFrame(look);
              });
            };
            requestAnimationFrame(look);
          },
          { capture: true, once: true },
        );
      });
      Object.assign(globalThis, { shown: Promise.all([presented, framed]).then((both) => Math.max(...both)) });
    },
    { event, sign },
  );
}

async function shownMs(page: Page): Promise<number> {
  return await page.evaluate(() => (globalThis as unknown as { shown: Promise<number> }).shown);
}

/** From the server's answer to somebody else until it is on the screen. */
async function othersMs(page: Page, { token, taskIds }: Account, run: number): Promise<number> {
  const title = `Renamed in run ${run}`;
  await page.evaluate((wanted) => {
    const shown = new Promise<number>((resolve) => {
      const look = () => {
        const isThere = [...document.querySelectorAll(".card-title")].some(({ textContent }) => textContent === wanted);
        if (isThere) resolve(Date.now());
        else requestAnimationFrame(look);
      };
      look();
    });
    Object.assign(globalThis, { shown });
  }, title);
  await send(token, "PATCH", `/v1/tasks/${taskIds[30 + run]}`, { title });
  const answeredMs = Date.now();
  return Math.max(0, (await shownMs(page)) - answeredMs);
}
