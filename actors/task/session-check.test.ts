import { expect, test } from "bun:test";
import { sessionCheck } from "./session-check.ts";

const verified = (userId: string) => ({ userId, sessionId: "s", sessionHash: "hash of s", expMs: 0 });

function check() {
  const clock = { nowMs: 1_000 };
  const asked: string[] = [];
  const made = sessionCheck(
    async ({ userId }) => {
      asked.push(userId);
      return userId === "ada";
    },
    () => clock.nowMs,
  );
  return { ...made, clock, asked };
}

test("a session is asked for again after ten minutes, and when it was forgotten", async () => {
  const { isGood, forget, clock, asked } = check();
  expect(await isGood("t", verified("ada"))).toBe(true);
  clock.nowMs += 599_999;
  expect(isGood("t", verified("ada"))).toBe(true);
  clock.nowMs += 1;
  expect(await isGood("t", verified("ada"))).toBe(true);
  forget("hash of s");
  expect(await isGood("t", verified("ada"))).toBe(true);
  expect(asked).toEqual(["ada", "ada", "ada"]);
});

test("a session is good for its own user only, whoever comes first, and also at once", async () => {
  const { isGood, forget } = check();
  expect(await isGood("t", verified("eve"))).toBe(false);
  expect(await isGood("t", verified("ada"))).toBe(true);
  expect(isGood("t", verified("eve"))).toBe(false);
  forget("hash of s");
  expect(await Promise.all(["ada", "eve", "ada"].map((user) => isGood("t", verified(user))))).toEqual([
    true,
    false,
    true,
  ]);
});
