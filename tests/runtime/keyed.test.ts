import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, event, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/keyed/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [["alone", "replies", "idle", "bounds", "many"]]);
  describe(`On ${runtime}, keyed actors`, () => {
    test(
      "share threads by the tens of thousands, each with its own state, up to max, and are counted",
      async () => {
        const { code, lines } = await scenario("many");
        expect(code).toBe(0);
        expect(lineWith(lines, "keys")).toEqual({
          keys: 100_000,
          isRight: true,
          threads: 4,
          beyond: {
            failed: "Busy",
            message:
              "Cannot start session at one more key: 100000 are running (max); raise max, or let them end sooner with idleMs",
          },
        });
        expect(lineWith(lines, "metrics")).toEqual({ metrics: true });
      },
      DEADLINE_MS,
    );

    test(
      "fail alone: one is made anew and its neighbours go on, until it has failed too often and is down by itself",
      async () => {
        const { code, lines } = await scenario("alone");
        expect(code).toBe(0);
        expect(lineWith(lines, "thrown")).toEqual({
          thrown: { failed: "TypeError", message: "thrown in a handler" },
          lives: 3,
          fresh: 1,
          down: { failed: "Died", message: "Cannot reach session: it is not running" },
          neighbour: [300, 8],
          key: "told-one",
          args: { of: "tree" },
          others: "told-neighbour",
          own: "SelfAsk",
          unborn: "Died",
        });
        expect(lineWith(lines, "keys")).toEqual({ keys: 1 });
        const failures = event(lines, "keyed-actor-failed").filter(({ key }) => key === "told-one");
        expect(failures.map(({ isDown }) => isDown)).toEqual([false, false, true]);
        const ends = event(lines, "session-stopped").map(({ key, reason }) => `${key}: ${reason}`);
        expect(ends).toEqual([
          "told-one: TypeError: thrown in a handler",
          "told-one: Error: told to fail",
          "told-one: TypeError: thrown in a handler",
          "told-neighbour: shutdown",
        ]);
      },
      DEADLINE_MS,
    );

    test(
      "live on after a throw unless told to be made anew",
      async () => {
        const { code, lines } = await scenario("replies");
        expect(code).toBe(0);
        expect(lineWith(lines, "after")).toEqual({
          thrown: { failed: "TypeError", message: "thrown in a handler" },
          after: 6,
        });
      },
      DEADLINE_MS,
    );

    test(
      "end when they have had nothing to do, not while a handler or a timer is under way, and by themselves once all is handled",
      async () => {
        const { code, lines } = await scenario("idle");
        expect(code).toBe(0);
        expect(lineWith(lines, "again")).toEqual({ slow: 400, again: 1 });
        expect(lineWith(lines, "keys")).toEqual({ keys: 0 });
        const ends = event(lines, "session-stopped").map(({ key, reason, sum }) => `${key}: ${reason} ${sum}`);
        expect(ends.filter((each) => each === "told-idle: idle 1")).toHaveLength(2);
        expect(ends.filter((each) => each.startsWith("told-timer"))).toEqual(["told-timer: idle 1"]);
        expect(ends.filter((each) => /^told-leaving: (normal|idle)/.test(each)).length).toBeGreaterThanOrEqual(1);
      },
      DEADLINE_MS,
    );

    test(
      "have keys of 1 to 256 characters, and a mailbox each beyond which asks are refused",
      async () => {
        const { code, lines } = await scenario("bounds");
        expect(code).toBe(0);
        expect(lineWith(lines, "refused")).toEqual({
          refused: [
            'Cannot refer to session at "": a key is text that is not empty',
            "Cannot refer to session at a key of 257 characters: 256 at most; use a shorter one, or its hash",
          ],
          without: {
            failed: "RangeError",
            message: "Cannot ask session to add at no key: it has one actor for each; use ref.at(key)",
          },
          long: "RangeError",
          longest: 1,
        });
        expect(event(lines, "dead-letter")).toMatchObject([{ to: "session", kind: "note", reason: "no-key" }]);
        // Eight may wait; the one that is handled may have been among them.
        const { asked, busy } = lineWith(lines, "asked") as { asked: number; busy: number };
        expect(asked + busy).toBe(12);
        expect([7, 8]).toContain(asked);
        expect(lineWith(lines, "third")).toMatchObject({ held: 400, third: { failed: "Busy" } });
      },
      DEADLINE_MS,
    );
  });
}
