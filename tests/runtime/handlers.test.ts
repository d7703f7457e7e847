import { describe, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { commandOf } from "./programs.ts";
import { type Ended, event, lineWith, type Runtime, run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("./fixtures/handlers/scenario.ts", import.meta.url));
const handlers = (runtime: Runtime, scenario: string): Promise<Ended> => run(runtime, script, [scenario]);

for (const runtime of runtimes) {
  describe(`On ${runtime}, in real threads`, () => {
    test(
      "long handlers are no hang, and what was answered in time leaves in time",
      async () => {
        const { code, lines } = await handlers(runtime, "long");
        expect({ code, hung: event(lines, "actor-hung") }).toEqual({ code: 0, hung: [] });
        const { short, long } = lineWith(lines, "short") as { short: number; long: string[] };
        expect(long).toEqual(Array.from({ length: 8 }, () => "answered"));
        // Five of 100 ms end before 550 ms; on a busy machine fewer, but never none.
        expect(short).toBeGreaterThanOrEqual(1);
        expect(short).toBeLessThanOrEqual(5);
      },
      MINUTE_MS,
    );

    test(
      "a handler that never settles is shown as the oldest, and fails its actor with the kind's name once its time is over",
      async () => {
        const { code, lines } = await handlers(runtime, "neverSettles");
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
      MINUTE_MS,
    );

    test(
      "an actor that stops itself ends normally: a transient one stays down, a permanent one begins anew",
      async () => {
        const { code, lines } = await handlers(runtime, "stopsItself");
        expect(code).toBe(0);
        expect(lineWith(lines, "restarts")).toEqual({ restarts: 0, other: true });
        expect(event(lines, "stop-hook")).toMatchObject([{ actor: "steady", reason: "normal" }]);
        expect(
          event(lines, "child-terminated")
            .map(({ actor, why }) => `${actor} ${why}`)
            .sort(),
        ).toEqual(["fragile normal", "steady normal"]);
      },
      MINUTE_MS,
    );

    test(
      "a monitor tells of an end and why, an ask to oneself is refused at once, and telling an unknown kind is a dead letter that is counted",
      async () => {
        const { code, lines } = await handlers(runtime, "watches");
        expect(code).toBe(0);
        expect(lineWith(lines, "endings")).toEqual({
          endings: [{ actor: "fragile", index: 0, reason: "thrown in fragile" }],
          own: "SelfAsk",
        });
        expect(lineWith(lines, "dead")).toEqual({ dead: 5 });
        const letters = event(lines, "dead-letter").filter(({ kind }) => kind === "hasOwnProperty");
        expect(letters.map((each) => each.letters)).toEqual([1, 4]);
      },
      MINUTE_MS,
    );

    test(
      "a start that fails rejects with the child's error as its cause, stacks included",
      async () => {
        const { lines } = await handlers(runtime, "refusesToStart");
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
      MINUTE_MS,
    );

    test(
      "without a log, warnings and errors go to stderr, and a root failure that nobody takes ends the process with 1",
      async () => {
        const [program, ...flags] = await commandOf(runtime);
        const { status, stderr } = spawnSync(program, [...flags, script, "unobserved"], {
          encoding: "utf8",
          timeout: 60_000,
        });
        const lines = stderr
          .split("\n")
          .filter((line) => line.startsWith("{"))
          .map((line) => JSON.parse(line) as Record<string, unknown>);
        expect(status).toBe(1);
        expect(event(lines, "child-terminated")).toMatchObject([
          { level: "error", actor: "fragile", stack: expect.stringContaining("fragile.ts") },
        ]);
        expect(event(lines, "system-failed")).toHaveLength(1);
      },
      MINUTE_MS,
    );

    test(
      "a fault that is injected ends an actor as one of its own would, without a message of its protocol",
      async () => {
        const { code, lines } = await handlers(runtime, "faults");
        expect(code).toBe(0);
        expect(lineWith(lines, "told")).toEqual({
          told: [false, false, true, true, true],
          lastErrors: ["Cannot go on: steady ended its own thread", "Cannot go on: a fault was injected"],
        });
      },
      MINUTE_MS,
    );

    test(
      "a child that is to be killed at once does not run its stop hook",
      async () => {
        const { code, lines } = await handlers(runtime, "brutalKill");
        expect({ code, hooks: event(lines, "stop-hook") }).toEqual({ code: 0, hooks: [] });
        expect(lineWith(lines, "state")).toEqual({ state: "down" });
      },
      MINUTE_MS,
    );
  });
}
