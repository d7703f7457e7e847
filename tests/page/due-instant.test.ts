/** What is due in another zone is shown at the time that it has here, also by a browser without `Temporal`. */
import { expect, test } from "bun:test";
import { type Due, instantOfDue } from "../../actors/resources/due.ts";
import { instantMsOf } from "../../web/text/due-instant.ts";
import { expectNoFaults, newProject, register, saved, signedIn, signIn, visitor } from "../system/browser.ts";
import { describePage } from "./describe-page.ts";

const isoOf = (due: Due): string | null => {
  const ms = instantMsOf(due);
  return ms === undefined ? null : new Date(ms).toISOString();
};

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/St_Johns",
  "America/Sao_Paulo",
  "Asia/Kathmandu",
  "Asia/Tokyo",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Pacific/Kiritimati",
];

test("the page finds the instants that the server finds, in every zone, in gaps and in folds", () => {
  for (const timeZone of zones)
    for (let day = 0; day < 730; day++) {
      const date = new Date(Date.UTC(2025, 0, 1 + day)).toISOString().slice(0, 10);
      // Clocks change at night, by an hour or half of one.
      for (const time of ["00:00", "00:59:59.999", "01:30", "02:00", "02:15:30", "02:30", "03:00", "17:05"]) {
        const due = { date, time, timeZone };
        expect(isoOf(due), JSON.stringify(due)).toBe(instantOfDue(due));
      }
    }
});

test.each<[string, Due]>([
  ["a day that Samoa left out", { date: "2011-12-30", time: "12:00", timeZone: "Pacific/Apia" }],
  ["long ago", { date: "1900-02-28", time: "23:59:59.001", timeZone: "Europe/Berlin" }],
  ["in the first century", { date: "0050-03-01", time: "08:00", timeZone: "America/New_York" }],
  ["far ahead", { date: "9998-12-31", time: "23:59", timeZone: "Asia/Tokyo" }],
  ["a zone that nobody knows", { date: "2026-01-01", time: "08:00", timeZone: "Mars/Olympus" }],
  ["without a zone", { date: "2026-01-01", time: "08:00" }],
  ["without a time", { date: "2026-01-01" }],
])("so it does with %s", (_name, due) => {
  expect(isoOf(due)).toBe(instantOfDue(due));
});

await describePage("a due time in another zone", {}, ({ chromium, system }) => {
  test("is shown and sorted by the time that it has here, without Temporal", async () => {
    const first = await visitor(chromium, `${system.url}/`);
    const account = await register(first.page, "Ada");
    await newProject(first.page, "Launch");
    await saved(first.page);
    // By the browser's own clock, whose zone need not be that of this process.
    const at = new Date(await first.page.evaluate(() => new Date(2030, 5, 15, 12, 0).getTime()));
    await first.context.close();
    const send = await signedIn(system.url, account);
    const dueIn = (timeZone: string, offsetHours: number, moment: Date) => {
      const there = new Date(moment.getTime() + offsetHours * 3_600_000).toISOString();
      return { date: there.slice(0, 10), time: there.slice(11, 16), timeZone };
    };
    const later = new Date(at.getTime() + 30 * 60_000);
    await send("POST", "/v1/tasks", { title: "In Tokyo", due: dueIn("Asia/Tokyo", 9, at) });
    await send("POST", "/v1/tasks", { title: "In Honolulu", due: dueIn("Pacific/Honolulu", -10, later) });

    const ada = await visitor(chromium, `${system.url}/`, {
      before: async (page) => {
        await page.addInitScript(() => {
          Reflect.deleteProperty(globalThis, "Temporal");
        });
      },
    });
    const { page, context } = ada;
    expect(await page.evaluate(() => "Temporal" in globalThis)).toBe(false);
    await signIn(page, account);
    await page.getByRole("link", { name: "List", exact: true }).click();
    await page.getByRole("button", { name: "Due", exact: true }).click();
    const row = (title: string) => page.locator(".task-row", { hasText: title }).locator(".due");
    await row("In Tokyo").waitFor();
    expect(await row("In Tokyo").textContent()).toBe("15 Jun 2030, 12:00");
    expect(await row("In Honolulu").textContent()).toBe("15 Jun 2030, 12:30");
    expect(await page.locator(".task-row .due").allTextContents()).toEqual([
      "15 Jun 2030, 12:00",
      "15 Jun 2030, 12:30",
    ]);
    // Where its clock can be set, it is told whose clock that is.
    await page.locator(".task-row", { hasText: "In Tokyo" }).getByText("In Tokyo").click();
    expect(await page.locator(".due-zone").textContent()).toBe("in Asia/Tokyo; here 15 Jun 2030, 12:00");
    expectNoFaults(ada);
    await context.close();
  }, 120_000);
});
