import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, event, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/lives.ts", import.meta.url);
const lasting = ["readyTooLate", "logThrows", "failingMember", "patientStop", "restartedTogether"];
const hanging = ["hangWhileAsksExpire", "hangBesideSpare", "hangAfterFailure", "blockedAtItsEnd"];
/** Ends its process itself. */
const last = "blockedWhileRestarted";

for (const runtime of runtimes) {
  const scenario = played(
    runtime,
    script,
    runtime !== "deno" ? [[...lasting, ...hanging, last]] : [[...lasting, last], ...hanging.map((each) => [each])],
  );
  describe(`On ${runtime}, in real threads`, () => {
    // Where a thread that hangs cannot be ended the process is.
    const byForce = runtime !== "deno" ? { code: 0, ended: 0 } : { code: 1, ended: 1 };

    test.each([
      ["while its senders' asks expire in front of its full mailbox", "hangWhileAsksExpire", "block"],
      ["though it keeps a spare", "hangBesideSpare", "block"],
      ["in the stop hook after a failure", "hangAfterFailure", "(no message)"],
    ])(
      "a hang is found %s",
      async (_when, name, kind) => {
        const { code, lines } = await scenario(name);
        expect(event(lines, "actor-hung")).toMatchObject([{ actor: "mortal", kind }]);
        expect({ code, ended: event(lines, "thread-not-ended").length }).toEqual(byForce);
      },
      DEADLINE_MS,
    );

    test(
      "a thread that begins to block while it stops is ended, or the process where it cannot be",
      async () => {
        const { code, lines } = await scenario("blockedAtItsEnd");
        expect({ code, ended: event(lines, "thread-not-ended").length }).toEqual(byForce);
      },
      DEADLINE_MS,
    );

    test(
      "the next life of an actor that blocked for a while at its end begins when the one before is over",
      async () => {
        const { code, lines } = await scenario("blockedWhileRestarted");
        expect(code).toBe(0);
        const told = lines.map((line) => line.event).filter((name) => name === "born" || name === "gone");
        // Where a thread that blocks can be ended it does not come to its end.
        expect(told).toEqual(runtime !== "deno" ? ["born", "born"] : ["born", "gone", "born"]);
      },
      DEADLINE_MS,
    );

    test(
      "an actor that is asked to stop as it says that it is ready takes nothing any more",
      async () => {
        const { code, lines } = await scenario("readyTooLate");
        expect(code).toBe(0);
        const { states, codes } = lineWith(lines, "states") as { states: string[]; codes: string[] };
        expect(states).toContain("stopping");
        expect(states).not.toContain("up");
        expect(codes).not.toContain("answered");
        expect(event(lines, "gone")).toHaveLength(1);
      },
      DEADLINE_MS,
    );

    test(
      "a log that throws loses its lines only: actors are restarted, and the stop ends",
      async () => {
        const { code, lines } = await scenario("logThrows");
        expect(code).toBe(0);
        expect(lineWith(lines, "answer")).toEqual({ answer: 7 });
        expect(lineWith(lines, "told").told).toBeGreaterThan(2);
      },
      DEADLINE_MS,
    );

    test(
      "a member of a pool takes nothing any more from its failure on: others have what it would have had",
      async () => {
        const { code, lines } = await scenario("failingMember");
        expect(code).toBe(0);
        expect(lineWith(lines, "direct")).toEqual({ direct: "Died", codes: ["answered"], isStillFailing: true });
      },
      DEADLINE_MS,
    );

    test(
      "a stop that has all the time there is waits for the stop hooks, and one whose time is no number is refused",
      async () => {
        const { code, lines } = await scenario("patientStop");
        expect(code).toBe(0);
        expect(lineWith(lines, "refused")).toEqual({ refused: "other", state: "up" });
        expect(event(lines, "stop-late")).toEqual([]);
        expect(event(lines, "gone")).toHaveLength(1);
      },
      DEADLINE_MS,
    );

    test(
      "restarts count those with a sibling and with a supervisor, and an actor that is over for good is still shown",
      async () => {
        const { code, lines } = await scenario("restartedTogether");
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
      DEADLINE_MS,
    );
  });
}
