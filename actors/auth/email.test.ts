import { expect, test } from "bun:test";
import fc from "fast-check";
import { emailFault, emailKey } from "./email.ts";

const anyText = fc.string({ unit: "grapheme", maxLength: 40 });

test("an e-mail's key is the same whatever its case and composition", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const key = emailKey(text);
      for (const same of [text.toUpperCase(), text.toLowerCase(), text.normalize("NFD"), text.normalize("NFC")])
        expect(emailKey(same)).toBe(key);
    }),
    { numRuns: 2_000 },
  );
});

test("an e-mail's key tells plain addresses apart exactly when they differ in more than case", () => {
  const plain = fc.string({ unit: fc.constantFrom(..."abAB12.@-"), maxLength: 12 });
  fc.assert(
    fc.property(plain, plain, (a, b) => expect(emailKey(a) === emailKey(b)).toBe(a.toLowerCase() === b.toLowerCase())),
  );
});

test.each([
  "a@b.co",
  "Ada.Lovelace+tasks@example.co.uk",
  "jürgen@münchen.example",
  "o'neil@x-y.example",
  "用户@例子.测试",
  "ada@localhost",
])("%s is an e-mail address", (email) => {
  expect(emailFault(email)).toBeUndefined();
});

test.each([
  "",
  "ada",
  "@example.com",
  "ada@",
  "a b@example.com",
  "a@b@c.com",
  ".a@b.co",
  "a..b@c.co",
  "a@-b.co",
  "a@b..co",
  "a@b.",
  "a@.b",
  "a\u200b@b.co",
  " a@b.co",
  "a@b.co\n",
])("%j is no e-mail address", (email) => {
  expect(emailFault(email)).toBe("must be an e-mail address");
});
