/** The port `ApiTokens` over each adapter. */
import { expect, test } from "bun:test";
import { deletedTokenMs } from "../../actors/auth/lifetimes.ts";
import type { ApiTokenRecord } from "../../actors/auth/ports.ts";
import { overEachAdapter, overPostgresFaults } from "./auth-ports.ts";

const startMs = 1_700_000_000_000;
let made = 0;
function token(more: Partial<ApiTokenRecord> = {}): ApiTokenRecord {
  made += 1;
  return {
    id: crypto.randomUUID(),
    hash: `hash ${made}`,
    userId: "ada",
    name: `token ${made}`,
    scopes: ["tasks:read", "tasks:write"],
    createdMs: startMs + made,
    expiresMs: null,
    ...more,
  };
}

overEachAdapter("API tokens", ({ open, again }) => {
  test("a token is found by its hash, exactly as it was given, whether it has run out or not", async () => {
    const { apiTokens } = await open();
    for (const each of [token(), token({ scopes: ["tasks:read"], name: "Zoë 👩‍💻 '", expiresMs: 1 })]) {
      await apiTokens.insert(each);
      expect(await apiTokens.byHash(each.hash)).toEqual(each);
      for (const text of ["", each.id, `${each.hash} `, each.hash.toUpperCase()])
        expect(await apiTokens.byHash(text)).toBeUndefined();
    }
  });

  test("a user's tokens are listed oldest first, by id where they are of the same instant", async () => {
    const { apiTokens } = await open();
    const ids = ["b", "B", "a", "é"].map((id) => token({ id, createdMs: startMs }));
    const all = [...ids, token({ id: "0", createdMs: startMs + 1 }), token({ id: "z", createdMs: startMs - 1 })];
    for (const each of [...all, token({ userId: "bob" })]) await apiTokens.insert(each);
    expect((await apiTokens.ofUser("ada")).map(({ id }) => id)).toEqual(["z", "B", "a", "b", "é", "0"]);
    expect(await apiTokens.ofUser("nobody")).toEqual([]);
  });

  test("a hash or id that is there already is a failure", async () => {
    const { apiTokens } = await open();
    const one = token();
    await apiTokens.insert(one);
    await expect(apiTokens.insert(token({ hash: one.hash }))).rejects.toThrow();
    await expect(apiTokens.insert(token({ id: one.id }))).rejects.toThrow();
    expect(await apiTokens.ofUser("ada")).toEqual([one]);
  });

  test("only its user can remove a token, once, and its hash is remembered for a minute", async () => {
    const { apiTokens } = await open();
    const [one, other] = [token(), token()];
    for (const each of [one, other]) await apiTokens.insert(each);
    expect(await apiTokens.remove("bob", one.id, startMs)).toBeUndefined();
    expect(await apiTokens.removed(startMs)).toEqual([]);
    expect(await apiTokens.remove("ada", one.id, startMs)).toEqual(one);
    expect(await apiTokens.remove("ada", one.id, startMs)).toBeUndefined();
    expect(await apiTokens.byHash(one.hash)).toBeUndefined();
    expect(await apiTokens.ofUser("ada")).toEqual([other]);
    const removed = { hash: one.hash, untilMs: startMs + deletedTokenMs };
    expect(await apiTokens.removed(removed.untilMs - 1)).toEqual([removed]);
    expect(await apiTokens.removed(removed.untilMs)).toEqual([]);
    // Later removals forget it; the memory does not grow for ever.
    await apiTokens.remove("ada", other.id, removed.untilMs + 1);
    expect((await apiTokens.removed(startMs)).map(({ hash }) => hash)).toEqual([other.hash]);
  });

  test("of many who remove a token at once, through two processes, one has removed it", async () => {
    const stores = [(await open()).apiTokens, (await again()).apiTokens] as const;
    const one = token();
    await stores[0].insert(one);
    const removed = await Promise.all(
      Array.from({ length: 20 }, (_, index) => stores[index % 2 === 0 ? 0 : 1].remove("ada", one.id, startMs)),
    );
    expect(removed.filter((each) => each !== undefined)).toEqual([one]);
    expect(await stores[1].removed(startMs)).toHaveLength(1);
  });

  test("what was answered is there for whoever opens the store afterwards", async () => {
    const { apiTokens } = await open();
    const [one, other] = [token(), token()];
    for (const each of [one, other]) await apiTokens.insert(each);
    await apiTokens.remove("ada", one.id, startMs);
    const { apiTokens: later } = await again();
    expect([await later.ofUser("ada"), (await later.removed(startMs)).length]).toEqual([[other], 1]);
  });
});

overPostgresFaults("API tokens", async ({ apiTokens }) => {
  const one = token();
  await apiTokens.insert(one);
  expect(await apiTokens.byHash(one.hash)).toEqual(one);
  expect(await apiTokens.remove("ada", one.id, startMs)).toEqual(one);
});
