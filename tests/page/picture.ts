/**
 * `bun run picture [FOLDER]`: the picture at the beginning of the README and the one of a phone, from the real page with the data of the demo. With a folder: four
 * pictures there, light and dark, wide and narrow.
 */

import { join } from "node:path";
import { helpIfAsked } from "../../bench/http/options.ts";
import { fill } from "../../web/demo/fill.ts";
import { browser, closeBrowser, visitor } from "../system/browser.ts";
import { cleanUp, start } from "../system/server.ts";

helpIfAsked(import.meta.url);
const had = await browser();
if ("missing" in had) throw new Error(`Cannot take a picture: ${had.missing}`);
const system = await start();
const { email, password, spaceId, projectId } = await fill(system.url, "demo");
const folder = process.argv[2] ?? join(import.meta.dir, "..", "..", "docs");
for (const look of process.argv[2] === undefined
  ? [
      { name: "page", isDark: false, isNarrow: false },
      { name: "page-phone", isDark: true, isNarrow: true },
    ]
  : [false, true].flatMap((isDark) =>
      [false, true].map((isNarrow) => ({ name: `${isDark}-${isNarrow}`, isDark, isNarrow })),
    )) {
  const { page, context } = await visitor(had.browser, `${system.url}/#/s/${spaceId}/board/${projectId}`, look);
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password").fill(password);
  await page.locator("form button[type=submit]").click();
  await page.locator(".card").first().waitFor();
  await page.getByRole("img", { name: "Grace Hopper" }).first().waitFor({ state: "attached" });
  await page.screenshot({ path: join(folder, `${look.name}.png`) });
  await context.close();
}
await closeBrowser();
await system.end("SIGTERM");
await cleanUp();
