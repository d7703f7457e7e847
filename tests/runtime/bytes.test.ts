import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/bytes/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [
    ["cross", "moved", "bound", ...(runtime === "deno" ? [] : ["heldByTheDead"])],
  ]);
  describe(`On ${runtime}, bytes`, () => {
    test(
      "cross as they are: bodies, answers and what is published, in order with all else",
      async () => {
        const zeros = (text: string) => `Uint8Array ${text}`;
        expect(await scenario("cross")).toEqual({
          code: 0,
          lines: [
            { direct: [2, 3, 0] },
            { relayed: [9] },
            { filled: 1_000_000, sum: 7_000_000 },
            {
              kept: ["before", zeros("1 1 of 2"), zeros("97 98 of 2"), zeros(" of 0"), "after", zeros("9 of 1")],
              left: 64,
            },
          ],
        });
      },
      DEADLINE_MS,
    );

    test(
      "are moved when told so, but for a part of a buffer; what was moved before is refused, and takes nothing else with it",
      async () => {
        const { code, lines } = await scenario("moved");
        expect(code).toBe(0);
        const because = "its bytes have been moved before; copy them first, or send them without transfer";
        const [moved, again, gone, ...rest] = lines;
        expect(moved).toEqual({ left: 0, answer: [2, 3, 4], part: 2 });
        expect(again).toEqual({ partLeft: 2, again: `Cannot send the body of brighten: ${because}` });
        expect(gone).toEqual({ gone: `Cannot send the answer: ${because}` });
        expect(rest).toEqual([
          { event: "dead-letter", error: `Cannot send the body of keep: ${because}` },
          { kept: ["what comes with it"] },
          { dead: 2, bytes: 0 },
        ]);
      },
      DEADLINE_MS,
    );

    test(
      "bound a mailbox as messages do: who does not fit waits, one that is larger than all is taken alone",
      async () => {
        expect(await scenario("bound")).toEqual({
          code: 0,
          lines: [
            { waits: [false, false, true, true], bytes: 803, bytesMax: 1_000, depth: 3 },
            { kept: ["Uint8Array", "xxxxxxxxxx", "Uint8Array", "xxxxxxxxxx", "yyyyyyyyyy"] },
            { bytes: 0, isAll: true, metrics: true },
          ],
        });
      },
      DEADLINE_MS,
    );

    // A thread that hangs ends the process on Deno: nobody is left there to wait.
    if (runtime !== "deno")
      test(
        "that a sender had reserved room for when it hung and was ended are given back",
        async () => {
          const { code, lines } = await scenario("heldByTheDead");
          expect(code).toBe(0);
          expect(lines.at(-1)).toEqual({ kept: 1, bytes: 0 });
        },
        DEADLINE_MS,
      );
  });
}
