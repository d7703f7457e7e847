import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { chosen, type Job, lanesOf, long, simulations } from "./plan.ts";

const root = join(import.meta.dir, "..", "..");
const job = (name: string): Job => ({ name, files: [name], env: {} });

test("a run takes the long jobs in their order, or all others as they come", () => {
  const [first = "", second = ""] = long;
  const jobs = ["b.test.ts", second, "a.test.ts", first].map(job);
  expect(chosen(jobs, { isLong: true }).map(({ name }) => name)).toEqual([first, second]);
  expect(chosen(jobs, { isLong: false }).map(({ name }) => name)).toEqual(["b.test.ts", "a.test.ts"]);
});

test("every job that is listed as long is one", () => {
  expect(long.filter((name) => name !== simulations && !existsSync(join(root, name)))).toEqual([]);
  expect(new Set(long).size).toBe(long.length);
});

test("what uses the shared servers runs in one lane, which helps with the others when it is done", () => {
  const names = ["tests/stack/a.test.ts", "tests/b.test.ts", "tests/flow.test.ts"];
  const [first, second] = lanesOf(names.map(job));
  expect(first?.flat().map(({ name }) => name)).toEqual([names[0], names[2], names[1]] as string[]);
  expect(second?.flat().map(({ name }) => name)).toEqual([names[1]] as string[]);
  expect(first?.[1]).toBe(second?.[0] as Job[]);
});
