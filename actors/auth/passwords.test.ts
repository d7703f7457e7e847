import { expect, test } from "bun:test";
import { isCommonPassword } from "./common-passwords.ts";
import { passwords } from "./passwords.ts";

const turn = { network: "here", account: "ada" };

test("a password matches its own hash only, is never kept as it is, and no hash is no match", async () => {
  const made = await passwords();
  const matches = (password: string, stored: string | undefined) => made.matches(password, stored, turn, () => {});
  const stored = await made.hash("Zoe\u0308 likes 7 birds", turn);
  expect(stored).toStartWith("$argon2id$v=19$m=19456,t=2,p=1$");
  expect(await matches("Zo\u00eb likes 7 birds", stored)).toBe(true);
  expect(await matches("zo\u00eb likes 7 birds", stored)).toBe(false);
  expect(await matches("no password has this hash", undefined)).toBe(false);
});

test("what is thrown when a password's turn has come is thrown, and the next one has its turn", async () => {
  const { matches } = await passwords();
  const refuse = () => {
    throw new Error("no longer");
  };
  await expect(matches("a", undefined, turn, refuse)).rejects.toThrow("no longer");
  expect(await matches("a", undefined, turn, () => {})).toBe(false);
});

test("a common password is known whatever its case", () => {
  expect(["password", "PassWord1", "qwertyuiop", "12345678"].filter(isCommonPassword)).toHaveLength(4);
  expect(isCommonPassword("correct horse 7 battery")).toBe(false);
});
