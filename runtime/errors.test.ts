import { expect, test } from "bun:test";
import { busy, died, isActorError, packError, unpackError } from "./errors.ts";

test("An error crosses as JSON with its name, message, code, stack and causes", () => {
  const error = Object.assign(new RangeError("too far", { cause: new TypeError("deeper", { cause: "deepest" }) }), {
    code: 42,
  });
  const back = unpackError(JSON.parse(JSON.stringify(packError(error)))) as Error & { code: number };
  expect({ name: back.name, message: back.message, code: back.code, stack: back.stack }).toEqual({
    name: "RangeError",
    message: "too far",
    code: 42,
    stack: error.stack as string,
  });
  const cause = back.cause as Error;
  expect([cause.name, cause.message, (cause.cause as Error).message]).toEqual(["TypeError", "deeper", "deepest"]);
});

test("The runtime's own errors are known by their code on the other side too", () => {
  const back = unpackError(packError(died("counter", new Error("boom"))));
  expect(isActorError(back, "Died")).toBe(true);
  expect(isActorError(back, "Busy")).toBe(false);
  expect((back.cause as Error).message).toBe("boom");
  expect(isActorError(busy("counter"))).toBe(true);
  expect(isActorError(new Error("Died"))).toBe(false);
});

test("An error that is its own cause does not pack for ever", () => {
  const error = new Error("round");
  error.cause = error;
  expect(JSON.stringify(packError(error)).length).toBeLessThan(20_000);
});

const unreadable = (field: string): Error =>
  Object.defineProperty(new Error("with a trap"), field, {
    get: () => {
      throw new Error("sprung");
    },
  });
test.each<[string, unknown, string]>([
  ["no prototype", Object.create(null), "thrown: (no text)"],
  ["a BigInt for its message", Object.assign(new Error(), { message: 10n }), "thrown: Error: 10"],
  ["a function for its name", Object.assign(new Error("named"), { name: () => 1 }), "named"],
  ["a code that is an object", Object.assign(new Error("coded"), { code: { n: 1n } }), "coded"],
  ["a symbol for itself", Symbol("s"), "thrown: Symbol(s)"],
  ["a message that cannot be read", unreadable("message"), "thrown: (no text)"],
  ["a code that cannot be read", unreadable("code"), "with a trap"],
  ["a stack that cannot be read", unreadable("stack"), "with a trap"],
  ["a cause that cannot be read", unreadable("cause"), "with a trap"],
])("What was thrown with %s is packed too, as JSON can be", (_what, thrown, message) => {
  const back = unpackError(JSON.parse(JSON.stringify(packError(thrown))));
  expect(back).toBeInstanceOf(Error);
  expect(back.message).toBe(message);
});

test("What was thrown and is no Error is packed as one", () => {
  expect(packError("words")[1]).toBe("words");
  expect(packError(null)[1]).toBe("thrown: null");
});
