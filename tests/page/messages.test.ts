/** The page's texts: every language has the forms that it needs, and a word for what the server says of fields. */
import { expect, test } from "bun:test";
import { emailFault } from "../../actors/auth/email.ts";
import { textFaults } from "../../actors/http/text.ts";
import { en, type Message, type Messages } from "../../web/messages/en.ts";
import { ru } from "../../web/messages/ru.ts";
import { faultKey, fieldKey } from "../../web/text/faults.ts";

const languages: Readonly<Record<string, Messages>> = { en, ru };
const formsOf = (message: Message) => (typeof message === "string" ? [message] : Object.values(message));
const filledIn = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();

test("a text with forms has each form of its language, and every form fills in the same as the English text", () => {
  for (const [language, messages] of Object.entries(languages)) {
    const wanted = new Intl.PluralRules(language).resolvedOptions().pluralCategories.toSorted();
    for (const [key, message] of Object.entries(messages)) {
      if (typeof message !== "string") expect(Object.keys(message).sort(), `${language} ${key}`).toEqual(wanted);
      const [english = ""] = formsOf(en[key as keyof Messages]);
      for (const form of formsOf(message)) expect(filledIn(form), `${language} ${key}`).toEqual(filledIn(english));
    }
  }
});

test("what the server says of a field that people fill in has a text in every language", () => {
  const said = [
    ...textFaults("", { minLength: 8, maxLength: 9 }),
    ...textFaults("", { minLength: 1, maxLength: 9 }),
    ...textFaults("0123456789", { maxLength: 9 }),
    ...textFaults(" ", { maxLength: 9, blank: false }),
    emailFault("nobody") ?? "",
    "is required",
    "must have at most 20 items",
    "must not be one of the most common passwords",
  ];
  for (const sentence of said) expect(faultKey(sentence).key, sentence).not.toBe("faultOther");
  expect(faultKey("must have at least 8 characters")).toEqual({ key: "faultShort", n: 8 });
  expect(faultKey("something that nobody has said yet").key).toBe("faultOther");
  expect([fieldKey("/newPassword"), fieldKey("/changes/3/body/labels/0"), fieldKey("/due/date")]).toEqual([
    "newPassword",
    "labels",
    "due",
  ]);
  expect(fieldKey("/changes/0")).toBeUndefined();
});
