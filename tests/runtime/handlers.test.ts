import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { commandOf, runToEnd } from "./programs.ts";
import { DEADLINE_MS, event, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/handlers/scenario.ts", import.meta.url);
const names = ["long", "neverSettles", "stopsItself", "watches", "refusesToStart", "faults", "brutalKill"];

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [names]);
  describe(`On ${runtime}, in real threads`, () => {
    test(
      "long handlers are no hang, and what was answered in time leaves in time",
      async () => {
        const { code, lines } = await scenario("long");
        expect({ code, hung: event(lines, "actor-hung") }).toEqual({ code: 0, hung: [] });
        expect(lineWith(lines, "first")).toEqual({ first: "answered", second: "answered" });
        // One that holds its thread is shown as one that waits is.
        expect(lineWith(lines, "oldest")).toEqual({ oldest: "work" });
        expect(lineWith(lines, "long")).toEqual({ long: Array.from({ length: 4 }, () => "answered") });
      },
      DEADLINE_MS,
    );

    test(
      "a handler that never settles is shown as the oldest, and fails its actor with the kind's name once its time is over",
      async () => {
        const { code, lines } = await scenario("neverSettles");
        expect(code).toBe(0);
        const message = "Cannot wait longer: the handler of forget in steady has not ended in 300 ms";
        expect(lineWith(lines, "oldest")).toMatchObject({
          oldest: "forget",
          code: "Died",
          lastError: { message, stack: expect.stringContaining("incarnation.ts") },
          after: null,
        });
        expect(event(lines, "stop-hook")[0]).toMatchObject({ reason: message });
      },
      DEADLINE_MS,
    );

    test(
      "an actor that stops itself ends normally: a transient one stays down, a permanent one begins anew",
      async () => {
        const { code, lines } = await scenario("stopsItself");
        expect(code).toBe(0);
        expect(lineWith(lines, "restarts")).toEqual({ restarts: 0, other: true });
        expect(event(lines, "stop-hook")).toMatchObject([{ actor: "steady", reason: "normal" }]);
        expect(
          event(lines, "child-terminated")
            .map(({ actor, why }) => `${actor} ${why}`)
            .sort(),
        ).toEqual(["fragile normal", "steady normal"]);
      },
      DEADLINE_MS,
    );

    test(
      "a monitor tells of an end and why, an ask to oneself is refused at once, and telling an unknown kind is a dead letter that is counted",
      async () => {
        const { code, lines } = await scenario("watches");
        expect(code).toBe(0);
        expect(lineWith(lines, "endings")).toEqual({
          endings: [{ actor: "fragile", index: 0, reason: "thrown in fragile" }],
          own: "SelfAsk",
        });
        expect(lineWith(lines, "dead")).toEqual({ dead: 5 });
        const letters = event(lines, "dead-letter").filter(({ kind }) => kind === "hasOwnProperty");
        expect(letters.map((each) => each.letters)).toEqual([1, 4]);
      },
      DEADLINE_MS,
    );

    test(
      "a start that fails rejects with the child's error as its cause, stacks included",
      async () => {
        const { lines } = await scenario("refusesToStart");
        expect(lineWith(lines, "cause")).toMatchObject({
          cause: "cannot begin",
          deeper: "the deeper reason",
          stack: expect.stringContaining("fragile.ts"),
        });
        expect(lineWith(lines, "lastError").lastError).toMatchObject({
          message: "cannot begin",
          stack: expect.stringMatching(/fragile\.ts[\s\S]*Caused by: RangeError: the deeper reason/),
        });
      },
      DEADLINE_MS,
    );

    test(
      "without a log, warnings and errors go to stderr, and a root failure that nobody takes ends the process with 1",
      async () => {
        const command = [...(await commandOf(runtime)), fileURLToPath(script), "unobserved"];
        const { code, stderr } = await runToEnd(command, process.cwd());
        const lines = stderr
          .split("\n")
          .filter((line) => line.startsWith("{"))
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(code).toBe(1);
        expect(event(lines, "child-terminated")).toMatchObject([
          { level: "error", actor: "fragile", stack: expect.stringContaining("fragile.ts") },
        ]);
        expect(event(lines, "system-failed")).toHaveLength(1);
      },
      DEADLINE_MS,
    );

    test(
      "a fault that is injected ends an actor as one of its own would, without a message of its protocol",
      async () => {
        const { code, lines } = await scenario("faults");
        expect(code).toBe(0);
        expect(lineWith(lines, "told")).toEqual({
          told: [false, false, true, true, true],
          lastErrors: ["Cannot go on: steady ended its own thread", "Cannot go on: a fault was injected"],
        });
      },
      DEADLINE_MS,
    );

    test(
      "a child that is to be killed at once does not run its stop hook",
      async () => {
        const { code, lines } = await scenario("brutalKill");
        expect({ code, hooks: event(lines, "stop-hook") }).toEqual({ code: 0, hooks: [] });
        expect(lineWith(lines, "state")).toEqual({ state: "down" });
      },
      DEADLINE_MS,
    );
  });
}
