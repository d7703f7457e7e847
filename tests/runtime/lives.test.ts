import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { type Ended, type Line, type Runtime, run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("fixtures/lives.ts", import.meta.url));
const live = (runtime: Runtime, scenario: string): Promise<Ended> => run(runtime, script, [scenario]);
const event = (lines: readonly Line[], name: string): readonly Line[] => lines.filter((line) => line.event === name);

for (const runtime of runtimes) {
  describe(`On ${runtime}, in real threads`, () => {
    test.each([
      ["while its senders' asks expire in front of its full mailbox", "hangWhileAsksExpire"],
      ["though it keeps a spare", "hangBesideSpare"],
    ])(
      "a hang is found %s",
      async (_when, scenario) => {
        const { code, lines } = await live(runtime, scenario);
        expect(event(lines, "actor-hung")).toMatchObject([{ actor: "mortal", kind: "block" }]);
        // Where a thread that hangs cannot be ended the process is.
        expect({ code, ended: event(lines, "thread-not-ended").length }).toEqual(
          runtime === "bun" ? { code: 0, ended: 0 } : { code: 1, ended: 1 },
        );
      },
      MINUTE_MS,
    );
  });
}
