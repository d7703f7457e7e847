/** The port `Users` over each adapter. */
import { describe, expect, test } from "bun:test";
import type { UserRecord } from "../../actors/auth/ports.ts";
import { overEachAdapter, overPostgresFaults } from "./auth-ports.ts";

let made = 0;
function user(more: Partial<UserRecord> = {}): UserRecord {
  made += 1;
  const email = `User-${made}@example.com`;
  return {
    id: crypto.randomUUID(),
    email,
    emailKey: email.toLowerCase(),
    name: null,
    passwordHash: `hash ${made}`,
    createdMs: 1_700_000_000_000 + made,
    ...more,
  };
}

overEachAdapter("users", ({ open, again }) => {
  test("a user is found by its id and by its e-mail's key, exactly as it was given", async () => {
    const { users } = await open();
    const plain = user();
    const odd = user({ name: "Zoë 👩‍💻 \u202e\n'\";--", emailKey: "ß@ﬀ.example", createdMs: 0, passwordHash: "$" });
    for (const each of [plain, odd]) {
      expect(await users.insert(each)).toBe("inserted");
      expect(await users.byId(each.id)).toEqual(each);
      expect(await users.byEmailKey(each.emailKey)).toEqual(each);
    }
  });

  test("an erased user is gone at once, and the erasure waits until it is done, for every process", async () => {
    const { users, erasures } = await open();
    const other = await again();
    const [one, two] = [user(), user()];
    await users.insert(one);
    await users.insert(two);
    expect([await users.erase(one.id, 2_000), await users.erase(one.id, 3_000)]).toEqual([true, false]);
    expect([await users.byId(one.id), await users.byEmailKey(one.emailKey)]).toEqual([undefined, undefined]);
    expect(await users.insert(user({ emailKey: one.emailKey }))).toBe("inserted");
    await users.erase(two.id, 1_000);
    expect(await other.erasures.waiting()).toEqual([two.id, one.id]);
    await other.erasures.done(two.id);
    await erasures.done(two.id);
    expect(await erasures.waiting()).toEqual([one.id]);
  });

  test("nobody is found by what nobody has", async () => {
    const { users } = await open();
    const one = user();
    await users.insert(one);
    for (const text of ["", "no id", one.emailKey, one.id.toUpperCase()])
      expect(await users.byId(text)).toBeUndefined();
    for (const text of ["", one.id, one.email, `${one.emailKey} `, one.emailKey.replace("e", "é")])
      expect(await users.byEmailKey(text)).toBeUndefined();
  });

  test("keys are compared byte by byte: neither case, accents nor composition makes them equal", async () => {
    const { users } = await open();
    for (const emailKey of ["a@x", "A@x", "á@x", "a\u0301@x", "ß@x", "ss@x", "a@x "])
      expect(await users.insert(user({ emailKey }))).toBe("inserted");
    expect(await users.insert(user({ emailKey: "a\u0301@x" }))).toBe("email-taken");
  });

  test("of many who want the same e-mail at once, through two processes, one has it", async () => {
    const stores = [await open(), await again()] as const;
    const outcomes = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        stores[index % 2 === 0 ? 0 : 1].users.insert(user({ emailKey: "one@x" })),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "inserted")).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === "email-taken")).toHaveLength(29);
  });

  test("a taken id is no taken e-mail: it is a failure", async () => {
    const { users } = await open();
    const one = user();
    await users.insert(one);
    await expect(users.insert(user({ id: one.id }))).rejects.toThrow();
  });

  describe("a change", () => {
    test("touches the fields that it names and no others, and answers the user as it then is", async () => {
      const { users } = await open();
      const one = user();
      const other = user();
      await users.insert(one);
      await users.insert(other);
      const named = { ...one, name: "Ada" };
      expect(await users.change(one.id, { name: "Ada" })).toEqual(named);
      const moved = { ...named, email: "New@x", emailKey: "new@x" };
      expect(await users.change(one.id, { email: "New@x", emailKey: "new@x" })).toEqual(moved);
      const locked = { ...moved, passwordHash: "h2" };
      expect(await users.change(one.id, { passwordHash: "h2" })).toEqual(locked);
      expect(await users.change(one.id, {})).toEqual(locked);
      expect(await users.change(one.id, { name: null })).toEqual({ ...locked, name: null });
      expect(await users.byId(other.id)).toEqual(other);
      expect(await users.byEmailKey(one.emailKey)).toBeUndefined();
      expect(await users.insert(user({ emailKey: one.emailKey }))).toBe("inserted");
    });

    test("to another's e-mail is refused whole, to one's own it is none", async () => {
      const { users } = await open();
      const one = user({ name: "One" });
      const other = user();
      await users.insert(one);
      await users.insert(other);
      expect(await users.change(one.id, { name: "Two", emailKey: other.emailKey })).toBe("email-taken");
      expect(await users.byId(one.id)).toEqual(one);
      expect(await users.change(one.id, { emailKey: one.emailKey, name: "Two" })).toEqual({ ...one, name: "Two" });
    });

    test("of nobody is nothing, even to an e-mail that is taken", async () => {
      const { users } = await open();
      const one = user();
      await users.insert(one);
      expect(await users.change("nobody", { name: "x" })).toBeUndefined();
      expect(await users.change("nobody", { emailKey: one.emailKey })).toBeUndefined();
    });

    test("of different fields by two processes at once is both", async () => {
      const { users } = await open();
      const { users: theirs } = await again();
      const one = user();
      await users.insert(one);
      for (let round = 0; round < 20; round += 1) {
        await Promise.all([
          users.change(one.id, { name: `n${round}` }),
          theirs.change(one.id, { passwordHash: `h${round}` }),
        ]);
        expect(await users.byId(one.id)).toMatchObject({ name: `n${round}`, passwordHash: `h${round}` });
      }
    });

    test("of two users to the same e-mail at once lets one have it", async () => {
      const { users } = await open();
      const { users: theirs } = await again();
      const pair = [user(), user()] as const;
      for (const each of pair) await users.insert(each);
      const outcomes = await Promise.all([
        users.change(pair[0].id, { emailKey: "wanted@x" }),
        theirs.change(pair[1].id, { emailKey: "wanted@x" }),
      ]);
      expect(outcomes.filter((outcome) => outcome === "email-taken")).toHaveLength(1);
    });
  });

  test("what was answered is there for whoever opens the store afterwards", async () => {
    const { users } = await open();
    const one = user();
    await users.insert(one);
    await users.change(one.id, { name: "kept" });
    expect(await (await again()).users.byId(one.id)).toEqual({ ...one, name: "kept" });
  });
});

overPostgresFaults("users", async ({ users }) => {
  const one = user();
  expect(await users.insert(one)).toBe("inserted");
  expect(await users.change(one.id, { name: "x" })).toMatchObject({ name: "x" });
  expect(await users.byEmailKey(one.emailKey)).toMatchObject({ id: one.id });
});
