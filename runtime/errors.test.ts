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

test("What was thrown and is no Error is packed as one", () => {
  expect(packError("words")[1]).toBe("words");
  expect(packError(null)[1]).toBe("thrown: null");
});
