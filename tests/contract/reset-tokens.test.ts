/** The port `ResetTokens` over each adapter. */
import { expect, test } from "bun:test";
import type { UserRecord } from "../../actors/auth/ports.ts";
import type { Stores } from "../../actors/auth/stores.ts";
import { overEachAdapter, overPostgresFaults } from "./auth-ports.ts";

const nowMs = 1_700_000_000_000;
const hourMs = 3_600_000;

async function user({ users }: Stores): Promise<UserRecord> {
  const id = crypto.randomUUID();
  const one = { id, email: id, emailKey: id, name: null, passwordHash: "old", createdMs: nowMs };
  await users.insert(one);
  return one;
}
const token = (hash: string, { id: userId }: UserRecord) => ({ hash, userId, expiresMs: nowMs + hourMs });

overEachAdapter("reset tokens", ({ open, again }) => {
  test("one sets its user's password once, until it is out of date, and nobody else's", async () => {
    const stores = await open();
    const { resetTokens, users } = stores;
    const [ada, bob] = [await user(stores), await user(stores)];
    await resetTokens.issue(token("a", ada), nowMs);
    await resetTokens.issue(token("b", bob), nowMs);
    expect([await resetTokens.userOf("a", nowMs + hourMs - 1), await resetTokens.userOf("a", nowMs + hourMs)]).toEqual([
      ada.id,
      undefined,
    ]);
    expect([await resetTokens.userOf("A", nowMs), await resetTokens.userOf("", nowMs)]).toEqual([undefined, undefined]);
    expect(await resetTokens.spend({ hash: "a", passwordHash: "late" }, nowMs + hourMs)).toBe(false);
    expect(await resetTokens.spend({ hash: "c", passwordHash: "none" }, nowMs)).toBe(false);
    expect(await resetTokens.spend({ hash: "a", passwordHash: "new" }, nowMs + hourMs - 1)).toBe(true);
    expect(await resetTokens.spend({ hash: "a", passwordHash: "newer" }, nowMs)).toBe(false);
    expect(await users.byId(ada.id)).toEqual({ ...ada, passwordHash: "new" });
    expect(await users.byId(bob.id)).toEqual(bob);
  });

  test("a later one takes the place of the user's earlier one, spent or not", async () => {
    const stores = await open();
    const { resetTokens } = stores;
    const ada = await user(stores);
    await resetTokens.issue(token("a1", ada), nowMs);
    await resetTokens.issue({ ...token("a2", ada), expiresMs: nowMs + 2 * hourMs }, nowMs + 1);
    expect(await resetTokens.userOf("a1", nowMs)).toBeUndefined();
    expect(await resetTokens.userOf("a2", nowMs + hourMs)).toBe(ada.id);
    await resetTokens.spend({ hash: "a2", passwordHash: "x" }, nowMs);
    await resetTokens.issue(token("a3", ada), nowMs);
    expect(await resetTokens.userOf("a3", nowMs)).toBe(ada.id);
    // What is long out of date is no hindrance either.
    await resetTokens.issue({ ...token("a4", ada), expiresMs: nowMs + 9 * hourMs }, nowMs + 8 * hourMs);
    expect(await resetTokens.userOf("a4", nowMs + 8 * hourMs)).toBe(ada.id);
  });

  test("one ends with its user", async () => {
    const stores = await open();
    const ada = await user(stores);
    await stores.resetTokens.issue(token("a", ada), nowMs);
    await stores.users.erase(ada.id, nowMs);
    expect(await stores.resetTokens.userOf("a", nowMs)).toBeUndefined();
    expect(await stores.resetTokens.spend({ hash: "a", passwordHash: "x" }, nowMs)).toBe(false);
    await expect(stores.resetTokens.issue(token("b", ada), nowMs)).rejects.toThrow();
  });

  test("spent by many at once through two processes, one is spent by one of them", async () => {
    const stores = await open();
    const both = [stores, await again()] as const;
    const ada = await user(stores);
    await stores.resetTokens.issue(token("a", ada), nowMs);
    const spent = await Promise.all(
      Array.from({ length: 10 }, (_, nth) =>
        both[nth % 2 === 0 ? 0 : 1].resetTokens.spend({ hash: "a", passwordHash: `p${nth}` }, nowMs),
      ),
    );
    expect(spent.filter(Boolean)).toHaveLength(1);
    expect((await both[1].users.byId(ada.id))?.passwordHash).toBe(`p${spent.indexOf(true)}`);
  });

  test("users are found by their ids, each once, and who is not there is left out", async () => {
    const stores = await open();
    const [ada, bob] = [await user(stores), await user(stores)];
    await stores.users.erase(bob.id, nowMs);
    const found = await stores.users.byIds([ada.id, bob.id, ada.id, "none", `'"\\`]);
    expect(found).toEqual([ada]);
    expect(await stores.users.byIds([])).toEqual([]);
  });
});

overPostgresFaults("reset tokens", async (stores) => {
  const one = await user(stores);
  await stores.resetTokens.issue(token(one.id, one), nowMs);
  expect(await stores.resetTokens.userOf(one.id, nowMs)).toBe(one.id);
  expect(await stores.resetTokens.spend({ hash: one.id, passwordHash: "x" }, nowMs)).toBe(true);
  expect(await stores.users.byIds([one.id])).toHaveLength(1);
});
