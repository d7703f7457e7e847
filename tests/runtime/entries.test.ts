import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/entries/scenario.ts", import.meta.url);
const names = [
  "missingEntry",
  "throwingEntry",
  "notInRegistry",
  "missingHandler",
  "unknownHandler",
  "secondSystem",
  "refusals",
  "lateEntry",
  "factory",
  "silentEntry",
];

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [names]);
  /** What became of the start of a system: `started`, or why not, with all causes. */
  const outcomeOf = async (name: string): Promise<string> =>
    String(lineWith((await scenario(name)).lines, "outcome").outcome);

  describe(`On ${runtime}, a system whose workers`, () => {
    test.each([
      [
        "have an entry that is missing",
        "missingEntry",
        /its entry file:.*no-such-file\.ts ended before it called serveActors\(\)/,
      ],
      [
        "have an entry that throws",
        "throwingEntry",
        /throwing-entry\.ts ended before it called serveActors\(\): thrown by the entry/,
      ],
      ["have an entry that never serves", "silentEntry", /its worker's entry has not called serveActors\(\)/],
      [
        "lack the actor in their registry",
        "notInRegistry",
        /registry of its thread has late; add "other": \(\) => import/,
      ],
      [
        "run an actor without a handler for a kind of its protocol",
        "missingHandler",
        /Cannot run unhandled: it has no handler for second, which its protocol declares; add one to its on, or to its batch\.kinds/,
      ],
      [
        "run an actor with a handler for a kind that its protocol does not have",
        "unknownHandler",
        /Cannot run unknown: it handles third, which its protocol does not have; declare it in actor\(\), or take its handler away/,
      ],
      [
        "load a module that makes a system",
        "secondSystem",
        /Cannot make a system in the thread of the actor second-system: .* keep actors and the system in modules of their own/,
      ],
    ])(
      "%s does not start, and says why",
      async (_, scenario, why) => {
        expect(await outcomeOf(scenario)).toMatch(why);
      },
      DEADLINE_MS,
    );

    test(
      "refuses what is no JSON value, and what comes before its start or after its stop, and says what to do",
      async () => {
        expect((await outcomeOf("refusals")).split(" | ")).toEqual([
          "Stopped: Cannot reach odd: its system is not running; await start() first, and make a new system after stop()",
          expect.stringMatching(
            /^TypeError: Cannot send the body of give: it is no JSON value \(.*BigInt.*\); send text, numbers/,
          ),
          expect.stringMatching(
            /^TypeError: Cannot send the answer: it is no JSON value \(.*BigInt.*\); send text, numbers/,
          ),
          "answered",
          "Stopped: Cannot reach odd: its system is not running; await start() first, and make a new system after stop()",
        ]);
      },
      DEADLINE_MS,
    );

    test.each([
      ["wait for something before they serve", "lateEntry"],
      ["are made by a function", "factory"],
    ])(
      "%s starts",
      async (_, scenario) => {
        expect(await outcomeOf(scenario)).toBe("started");
      },
      DEADLINE_MS,
    );
  });
}
