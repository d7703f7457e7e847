/** The events of log lines are a closed list: each that the code has stands in the operator's table, and the table has no other. */
import { expect, test } from "bun:test";
import { Glob } from "bun";

const root = `${import.meta.dir}/..`;
const wordsIn = (text: string, form: RegExp): string[] => [...text.matchAll(form)].flatMap(([, word]) => word ?? []);
/** What a supervisor reports becomes an event by its own name. */
const reported = /do: "report";\s*readonly what: ([^;]+);/;

test("Each event that is logged stands in docs/operations.md, and the page names no other", async () => {
  const page = await Bun.file(`${root}/docs/operations.md`).text();
  const table = page.slice(page.indexOf("| event | is |"), page.indexOf("## Stopping"));
  const named = table.split("\n").flatMap((row) => wordsIn(row.split("|")[1] ?? "", /`([a-z-]+)`/g));
  const messages = await Bun.file(`${root}/runtime/supervisor-messages.ts`).text();
  const logged = wordsIn(reported.exec(messages)?.[1] ?? "", /"([a-z_]+)"/g).map((what) => what.replaceAll("_", "-"));
  expect(logged.length).toBeGreaterThan(2);
  for (const folder of ["actors", "runtime"])
    for await (const file of new Glob("**/*.ts").scan(`${root}/${folder}`)) {
      if (/\.test\.ts$|^(?:tests|examples)\//.test(file)) continue;
      const text = await Bun.file(`${root}/${folder}/${file}`).text();
      logged.push(...wordsIn(text, /\blog\(\s*"(?:debug|info|warn|error)",\s*"([a-z-]+)"/gi));
    }
  expect([...new Set(named)].toSorted()).toEqual([...new Set(logged)].toSorted());
  expect(named.length).toBe(new Set(named).size);
});
