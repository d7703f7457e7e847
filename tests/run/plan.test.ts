import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { inOrder, type Job, lanesOf, longest, simulations } from "./plan.ts";

const root = join(import.meta.dir, "..", "..");
const job = (name: string): Job => ({ name, files: [name], env: {} });

test("the longest jobs begin first, and all others follow in their order", () => {
  const [first = "", second = ""] = longest;
  const names = inOrder(["b.test.ts", second, "a.test.ts", first].map(job)).map(({ name }) => name);
  expect(names).toEqual([first, second, "b.test.ts", "a.test.ts"]);
});

test("every job that is listed as long is one", () => {
  expect(longest.filter((name) => name !== simulations && !existsSync(join(root, name)))).toEqual([]);
  expect(new Set(longest).size).toBe(longest.length);
});

test("what uses the shared servers runs in one lane, which helps with the others when it is done", () => {
  const names = ["tests/stack/a.test.ts", "tests/b.test.ts", "tests/flow.test.ts"];
  const [first, second] = lanesOf(names.map(job));
  expect(first?.flat().map(({ name }) => name)).toEqual([names[0], names[2], names[1]] as string[]);
  expect(second?.flat().map(({ name }) => name)).toEqual([names[1]] as string[]);
  expect(first?.[1]).toBe(second?.[0] as Job[]);
});
