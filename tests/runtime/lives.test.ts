import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { type Ended, event, lineWith, type Runtime, run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("fixtures/lives.ts", import.meta.url));
const live = (runtime: Runtime, scenario: string): Promise<Ended> => run(runtime, script, [scenario]);

for (const runtime of runtimes) {
  describe(`On ${runtime}, in real threads`, () => {
    // Where a thread that hangs cannot be ended the process is.
    const byForce = runtime !== "deno" ? { code: 0, ended: 0 } : { code: 1, ended: 1 };

    test.each([
      ["while its senders' asks expire in front of its full mailbox", "hangWhileAsksExpire", "block"],
      ["though it keeps a spare", "hangBesideSpare", "block"],
      ["in the stop hook after a failure", "hangAfterFailure", "(no message)"],
    ])(
      "a hang is found %s",
      async (_when, scenario, kind) => {
        const { code, lines } = await live(runtime, scenario);
        expect(event(lines, "actor-hung")).toMatchObject([{ actor: "mortal", kind }]);
        expect({ code, ended: event(lines, "thread-not-ended").length }).toEqual(byForce);
      },
      MINUTE_MS,
    );

    test(
      "a thread that begins to block while it stops is ended, or the process where it cannot be",
      async () => {
        const { code, lines } = await live(runtime, "blockedAtItsEnd");
        expect({ code, ended: event(lines, "thread-not-ended").length }).toEqual(byForce);
      },
      MINUTE_MS,
    );

    test(
      "the next life of an actor that blocked for a while at its end begins when the one before is over",
      async () => {
        const { code, lines } = await live(runtime, "blockedWhileRestarted");
        expect(code).toBe(0);
        const told = lines.map((line) => line.event).filter((name) => name === "born" || name === "gone");
        // Where a thread that blocks can be ended it does not come to its end.
        expect(told).toEqual(runtime !== "deno" ? ["born", "born"] : ["born", "gone", "born"]);
      },
      MINUTE_MS,
    );

    test(
      "an actor that is asked to stop as it says that it is ready takes nothing any more",
      async () => {
        const { code, lines } = await live(runtime, "readyTooLate");
        expect(code).toBe(0);
        const { states, codes } = lineWith(lines, "states") as { states: string[]; codes: string[] };
        expect(states).toContain("stopping");
        expect(states).not.toContain("up");
        expect(codes).not.toContain("answered");
        expect(event(lines, "gone")).toHaveLength(1);
      },
      MINUTE_MS,
    );

    test(
      "a log that throws loses its lines only: actors are restarted, and the stop ends",
      async () => {
        const { code, lines } = await live(runtime, "logThrows");
        expect(code).toBe(0);
        expect(lines[0]).toEqual({ answer: 7 });
        expect(lines[1]?.told).toBeGreaterThan(2);
      },
      MINUTE_MS,
    );

    test(
      "a member of a pool takes nothing any more from its failure on: others have what it would have had",
      async () => {
        const { code, lines } = await live(runtime, "failingMember");
        expect(code).toBe(0);
        expect(lineWith(lines, "direct")).toEqual({ direct: "Died", codes: ["answered"] });
      },
      MINUTE_MS,
    );

    test(
      "a stop that has all the time there is waits for the stop hooks, and one whose time is no number is refused",
      async () => {
        const { code, lines } = await live(runtime, "patientStop");
        expect(code).toBe(0);
        expect(lineWith(lines, "refused")).toEqual({ refused: "other", state: "up" });
        expect(event(lines, "stop-late")).toEqual([]);
        expect(event(lines, "gone")).toHaveLength(1);
      },
      MINUTE_MS,
    );

    test(
      "restarts count those with a sibling and with a supervisor, and an actor that is over for good is still shown",
      async () => {
        const { code, lines } = await live(runtime, "restartedTogether");
        expect(code).toBe(0);
        expect(lineWith(lines, "told")).toEqual({
          told: [
            [0, 0, 0],
            [1, 1, 0],
            [2, 2, 0],
          ],
          counted: ["subject", "mortal", "keeper"].map(
            (actor) => `actor_restarts_total{actor="${actor}",index="0"} ${actor === "keeper" ? 0 : 2}`,
          ),
        });
      },
      MINUTE_MS,
    );
  });
}
