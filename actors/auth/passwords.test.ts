import { expect, test } from "bun:test";
import { isCommonPassword } from "./common-passwords.ts";
import { gate, passwords } from "./passwords.ts";

/** A job that ends when told. */
function job() {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { run: () => promise, end: resolve };
}

test("the gate lets two in, keeps the rest in order, and refuses beyond its queue", async () => {
  const admit = gate({ atOnce: 2, queueMax: 2, waitMs: 4_000 });
  const jobs = [job(), job(), job(), job()];
  const begun: number[] = [];
  const all = jobs.map(({ run }, index) =>
    admit(() => {
      begun.push(index);
      return run();
    }),
  );
  await expect(admit(async () => {})).rejects.toMatchObject({ code: "overloaded", headers: { "retry-after": "2" } });
  expect(begun).toEqual([0, 1]);
  jobs[1]?.end();
  await all[1];
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const { end } of jobs) end();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3]);
});

test("the gate refuses who waits too long, and its place is free again", async () => {
  const admit = gate({ atOnce: 1, queueMax: 1, waitMs: 5 });
  const slow = job();
  const first = admit(slow.run);
  await expect(admit(async () => {})).rejects.toMatchObject({ code: "overloaded" });
  slow.end();
  await first;
  expect(await admit(async () => "in")).toBe("in");
});

test("the gate is left by a job that fails", async () => {
  const admit = gate({ atOnce: 1, queueMax: 0, waitMs: 5 });
  await expect(admit(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(await admit(async () => "in")).toBe("in");
});

test("a password matches its own hash only, is never kept as it is, and no hash is no match", async () => {
  const { hash, matches } = await passwords();
  const stored = await hash("Zoe\u0308 likes 7 birds");
  expect(stored).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
  expect(await matches("Zo\u00eb likes 7 birds", stored)).toBe(true);
  expect(await matches("zo\u00eb likes 7 birds", stored)).toBe(false);
  expect(await matches("no password has this hash", undefined)).toBe(false);
});

test("a common password is known whatever its case", () => {
  expect(["password", "PassWord1", "qwertyuiop", "12345678"].filter(isCommonPassword)).toHaveLength(4);
  expect(isCommonPassword("correct horse 7 battery")).toBe(false);
});
