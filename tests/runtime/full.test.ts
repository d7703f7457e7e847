import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/full/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [
    ["firstContact", "unwritable", ...(runtime === "deno" ? [] : ["heldByTheDead"])],
  ]);
  describe(`On ${runtime}, who waits for a full mailbox is woken`, () => {
    test(
      "when its first words to that actor met it full",
      async () => {
        expect(await scenario("firstContact")).toEqual({ code: 0, lines: [{ done: "taken" }] });
      },
      DEADLINE_MS,
    );

    test(
      "when the messages before its own could not be written",
      async () => {
        expect(await scenario("unwritable")).toEqual({ code: 0, lines: [{ done: "taken" }] });
      },
      DEADLINE_MS,
    );

    // A thread that hangs ends the process on Deno: nobody is left there to wait.
    if (runtime !== "deno")
      test(
        "when all places were held by one that hung and was ended",
        async () => {
          expect(await scenario("heldByTheDead")).toEqual({ code: 0, lines: [{ done: "taken" }] });
        },
        DEADLINE_MS,
      );
  });
}
