/** What the page does for people who have to wait, and for those whom motion disturbs. */
import { expect, test } from "bun:test";
import {
  columnOf,
  expectNoFaults,
  newProject,
  type Page,
  quickAdd,
  register,
  signedIn,
  signIn,
  visitor,
} from "../system/browser.ts";
import { describePage } from "./describe-page.ts";

const unseenMs = 1;

/** What would move for longer than anybody sees. */
async function movements(page: Page): Promise<string[]> {
  return await page.evaluate((longestMs) => {
    const ms = (text: string) => Math.max(...text.split(",").map((each) => Number.parseFloat(each) * 1_000));
    const isLong = ({ transitionDuration, animationName, animationDuration }: CSSStyleDeclaration) =>
      ms(transitionDuration) > longestMs || (animationName !== "none" && ms(animationDuration) > longestMs);
    return [...document.querySelectorAll("*")].flatMap((element) =>
      ["", "::before", "::after", "::backdrop"]
        .filter((part) => isLong(getComputedStyle(element, part)))
        .map((part) => `${element.tagName}.${element.className}${part}`),
    );
  }, unseenMs);
}

await describePage("the page", {}, ({ chromium, system }) => {
  test("moves nothing for who has asked for less motion", async () => {
    const ada = await visitor(chromium, `${system.url}/`, { isNarrow: true });
    const { page, context } = ada;
    await register(page, "Ada");
    await page.getByRole("button", { name: "Open menu" }).click();
    await newProject(page, "Launch");
    await context.setOffline(true);
    await page.locator(".save-state.offline").waitFor();
    const looks: Record<string, () => Promise<void>> = {
      "a toast, and what waits": () => quickAdd(page, "One"),
      "a panel": () => columnOf(page, "To do").getByRole("button", { name: "One", exact: true }).click(),
      "the menu": async () => {
        await page.keyboard.press("Escape");
        await page.getByRole("button", { name: "Open menu" }).click();
      },
      "a dialog": async () => {
        await page.keyboard.press("Escape");
        await page.locator("body").press("?");
      },
    };
    for (const [name, look] of Object.entries(looks)) {
      await page.emulateMedia({ reducedMotion: "no-preference" });
      await look();
      expect(await movements(page), name).not.toEqual([]);
      await page.emulateMedia({ reducedMotion: "reduce" });
      expect(await movements(page), name).toEqual([]);
    }
    expectNoFaults(ada);
    await context.close();
  }, 180_000);

  test("tells how much of a large space it has read", async () => {
    const first = await visitor(chromium, `${system.url}/`);
    const account = await register(first.page, "Ada");
    await first.context.close();
    const send = await signedIn(system.url, account);
    for (const count of [500, 100])
      await send("POST", "/v1/batch", {
        changes: Array.from({ length: count }, (_, n) => ({
          type: "task",
          kind: "create",
          body: { title: `${count} ${n}` },
        })),
      });
    const ada = await visitor(chromium, `${system.url}/`, {
      // The end of a snapshot comes when the test lets it.
      before: async (page) => {
        await page.addInitScript(() => {
          const { promise: isReleased, resolve: release } = Promise.withResolvers<void>();
          Object.assign(globalThis, { release });
          const ask = globalThis.fetch;
          globalThis.fetch = Object.assign(async (...asked: Parameters<typeof fetch>) => {
            const answer = await ask(...asked);
            if (!answer.url.includes("/snapshot")) return answer;
            return new Response(answer.body?.pipeThrough(new TransformStream({ flush: () => isReleased })), answer);
          }, ask);
        });
      },
    });
    const { page, context } = ada;
    await signIn(page, account);
    await page.getByRole("link", { name: "List", exact: true }).click();
    await page.getByRole("status").filter({ hasText: "Loading… 500 items" }).waitFor();
    await page.getByRole("progressbar", { name: "Loading…" }).waitFor();
    await page.evaluate(() => (globalThis as unknown as { release: () => void }).release());
    await page.locator(".task-row").first().waitFor();
    expect(await page.getByRole("progressbar").count()).toBe(0);
    expectNoFaults(ada);
    await context.close();
  }, 180_000);
});
