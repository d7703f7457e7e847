/** The documentation's page in a real browser: its policy lets run what it needs, its links lead somewhere, its forms send requests. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { browser, closeBrowser, expectNoFaults, visitor } from "./system/browser.ts";
import { type Person, person } from "./system/client.ts";
import { cleanUp, type System, start } from "./system/server.ts";
import { describeWith } from "./system/services.ts";

const deadlineMs = 120_000;
let system: System;
let ada: Person;
beforeAll(async () => {
  system = await start();
  ada = await person(system.url);
}, deadlineMs);
afterAll(async () => {
  await closeBrowser();
  await system?.end("SIGTERM");
  await cleanUp();
}, deadlineMs);

const found = await browser();
describeWith("the page at /docs", [found], ({ browser: of }) => {
  test("opens what a link leads to, and sends the requests of its forms with the token that was pasted", async () => {
    const visit = await visitor(of, `${system.url}/docs`);
    const { page, context } = visit;
    await page.getByLabel("Access token or API token").fill(ada.tokens.accessToken);

    await page.goto(`${system.url}/docs#createTask`);
    await page.locator('#createTask a[href="#NewTask"]').click();
    await page.locator("#NewTask[open]").getByText("estimateMinutes").waitFor();

    const send = async (id: string, fill: Readonly<Record<string, string>> = {}) => {
      await page.goto(`${system.url}/docs#${id}`);
      const form = page.locator(`#${id} .try`);
      await form.locator("summary").click();
      for (const [name, value] of Object.entries(fill)) await form.locator(`[name="${name}"]`).fill(value);
      await form.getByRole("button", { name: "Send" }).click();
      await form.locator("output pre").waitFor();
      return (await form.locator("output pre").textContent()) ?? "";
    };
    const made = await send("createTask");
    expect(made).toStartWith("201\n");
    expect(made).toContain('"title": "Buy milk"');
    const [, id = ""] = /"id": "([^"]+)"/.exec(made) ?? [];
    const patch = { id, body: '{"status":"done"}', "If-Match": '"1"' };
    expect(await send("patchTask", patch)).toStartWith("200\n");
    const listed = await send("listTasks", { status: "done", q: "mil" });
    expect(listed).toStartWith("200\n");
    expect(listed).toContain(id);
    expect(await send("deleteTask", { id })).toStartWith("204\n");
    expect(await send("getTask", { id })).toStartWith("404\n");
    expect(await page.evaluate(() => JSON.stringify([localStorage, sessionStorage]))).toBe("[{},{}]");
    expectNoFaults(visit);
    await context.close();
  }, 180_000);
});
