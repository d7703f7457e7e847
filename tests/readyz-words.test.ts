/** The words of `/readyz` are a closed list: each that the code has stands in the operator's table. */
import { expect, test } from "bun:test";
import { Glob } from "bun";

const root = `${import.meta.dir}/..`;
const wordsIn = (text: string, form: RegExp): string[] => [...text.matchAll(form)].flatMap(([, word]) => word ?? []);

test("Each word that an actor or a server is described with stands in docs/operations.md", async () => {
  const page = await Bun.file(`${root}/docs/operations.md`).text();
  const table = page.slice(page.indexOf("### What `/readyz` shows"), page.indexOf("## Metrics"));
  const health = await Bun.file(`${root}/actors/health/health.ts`).text();
  const words = wordsIn(health.slice(health.indexOf("export type WriteRefusal")), /\| "([^"]+)"/g);
  expect(words.length).toBeGreaterThan(4);
  for await (const file of new Glob("actors/**/*.ts").scan(root)) {
    if (file.endsWith(".test.ts")) continue;
    const text = await Bun.file(`${root}/${file}`).text();
    const states = wordsIn(text, /(?:new Unhealthy\(|detail: |state: )"([^"]+)"/g);
    if (/Unhealthy|readiness|UnusableSchema/.test(text)) words.push(...states);
  }
  expect(words).toContain("cannot append");
  const missing = words.filter((word) => !table.includes(`\`${word}\``));
  expect(missing).toEqual([]);
});
