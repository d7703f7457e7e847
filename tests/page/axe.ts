/** What axe-core finds wrong with a page, for people who cannot see or point. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "../system/browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe-core finds wrong, a line each. The source goes in by the debugger, which no content policy binds. `rules`: only these, else all. */
export async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(axe);
  // Nothing may be half faded in. To wait for the end is no way: what the browser skips, since it is far from the screen, stands still.
  await page.evaluate(() => {
    for (const animation of document.getAnimations())
      if (animation.effect?.getComputedTiming().endTime !== Number.POSITIVE_INFINITY) animation.finish();
  });
  return await page.evaluate(async (only) => {
    type Found = { violations: { id: string; nodes: { html: string; failureSummary?: string }[] }[] };
    const { axe: engine } = globalThis as unknown as { axe: { run(options: object): Promise<Found> } };
    const found = await engine.run({
      resultTypes: ["violations"],
      ...(only === undefined ? {} : { runOnly: { type: "rule", values: only } }),
    });
    return found.violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 200)} ${failureSummary?.slice(0, 300)}`),
    );
  }, rules);
}
