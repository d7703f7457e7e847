import { expect, test } from "bun:test";
import { rehearse } from "./rehearsal.ts";

test("A rehearsal has its messages answered, apart from all else and again and again", async () => {
  expect(await rehearse()).toEqual([1, 2, 3]);
  expect(await rehearse()).toEqual([1, 2, 3]);
});
