/** The trash shows all that was deleted, however much it is. */
import { expect, test } from "bun:test";
import { expectNoFaults, register, signedIn, visitor } from "../system/browser.ts";
import { poll } from "../system/poll.ts";
import { describePage } from "./describe-page.ts";

const waitMs = 30_000;

await describePage("the trash", {}, ({ chromium, system }) => {
  test("goes on to the first that was deleted, tasks and projects by time, and keeps what is shown while more are deleted", async () => {
    const ada = await visitor(chromium, `${system.url}/`);
    const { page, context } = ada;
    const send = await signedIn(system.url, await register(page, "Ada"));
    const batch = (changes: unknown) => send("POST", "/v1/batch", { changes });
    const named = (type: "task" | "project", name: string) => ({ type, name, id: crypto.randomUUID() });
    const [first, second] = [named("project", "First"), named("project", "Second")];
    const tasks = Array.from({ length: 251 }, (_, n) => named("task", `Task ${n}`));
    const all = [first, second, ...tasks];
    await batch(
      all.map(({ type, id, name }) => ({
        type,
        id,
        kind: "create",
        body: type === "task" ? { title: name } : { name },
      })),
    );
    const remove = (gone: typeof all) => batch(gone.map(({ type, id }) => ({ type, id, kind: "delete" })));
    for (const gone of [[first], tasks.slice(0, 190), [second], tasks.slice(190, 250)]) await remove(gone);

    await page.locator(".sidebar").getByRole("link", { name: "Trash" }).click();
    const rows = page.locator(".person-row .person-name");
    const showMore = page.getByRole("button", { name: "Show more" });
    const shows = (n: number) => poll(`${n} are shown`, waitMs, async () => (await rows.count()) === n);
    await shows(101);
    // Below those that were deleted after it, and above the others.
    expect(await rows.nth(60).textContent()).toBe("Project: Second");
    await showMore.click();
    await shows(201);
    await remove(tasks.slice(250));
    await shows(202);
    expect(await rows.first().textContent()).toBe("Task 250");
    await showMore.click();
    await shows(253);
    expect(await rows.last().textContent()).toBe("Project: First");
    expect(new Set(await rows.allTextContents()).size).toBe(253);
    expect(await showMore.count()).toBe(0);
    await page.getByRole("listitem").filter({ hasText: "First" }).getByRole("button", { name: "Restore" }).click();
    await page.getByRole("link", { name: "First" }).waitFor();
    await shows(252);
    expectNoFaults(ada);
    await context.close();
  }, 180_000);
});
