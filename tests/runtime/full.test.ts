import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("./fixtures/full/scenario.ts", import.meta.url));

for (const runtime of runtimes) {
  describe(`On ${runtime}, who waits for a full mailbox is woken`, () => {
    test(
      "when its first words to that actor met it full",
      async () => {
        expect(await run(runtime, script, ["firstContact"])).toEqual({ code: 0, lines: [{ done: "taken" }] });
      },
      MINUTE_MS,
    );

    test(
      "when the messages before its own could not be written",
      async () => {
        expect(await run(runtime, script, ["unwritable"])).toEqual({ code: 0, lines: [{ done: "taken" }] });
      },
      MINUTE_MS,
    );

    // A thread that hangs ends the process on Deno: nobody is left there to wait.
    if (runtime !== "deno")
      test(
        "when all places were held by one that hung and was ended",
        async () => {
          expect(await run(runtime, script, ["heldByTheDead"])).toEqual({ code: 0, lines: [{ done: "taken" }] });
        },
        MINUTE_MS,
      );
  });
}
