import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, type Line, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/group/scenario.ts", import.meta.url);
/** Who started and stopped, in order. */
const lives = (lines: readonly Line[]): string[] =>
  lines
    .filter(({ event }) => event === "started" || event === "stopped")
    .map(({ event, actor }) => `${actor} ${event}`);
const [up, down] = [
  ["first started", "second started"],
  ["second stopped", "first stopped"],
];

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [
    ["together", "fails", "startFails", "leaves", ...(runtime === "deno" ? [] : ["hangs"])],
  ]);
  describe(`On ${runtime}, a group`, () => {
    test(
      "has its actors in one thread: they start from left to right, stop from right to left, and are reached like all others",
      async () => {
        const { code, lines } = await scenario("together");
        expect(code).toBe(0);
        const view = (actor: string) => ({ actor, group: "core", state: "up", restarts: 0 });
        expect(lineWith(lines, "isOneThread")).toEqual({
          isOneThread: true,
          isOrdered: true,
          published: [[7], [7]],
          views: [view("first"), view("second"), { actor: "outside", state: "up", restarts: 0 }],
        });
        expect(lives(lines)).toEqual([...up, ...down]);
      },
      DEADLINE_MS,
    );

    test(
      "fails as one: asks reject at once, stop hooks run, both begin anew and others go on",
      async () => {
        const { code, lines } = await scenario("fails");
        expect(code).toBe(0);
        expect(lineWith(lines, "code")).toEqual({
          code: "Died",
          fault: true,
          isNew: true,
          restarts: [2, 2, 0],
          lastError: expect.stringContaining("fault"),
        });
        expect(lives(lines).filter((each) => each.endsWith("stopped")).length).toBe(6);
      },
      DEADLINE_MS,
    );

    test(
      "does not start when one of it does not: those before stop, and the start rejects with the cause",
      async () => {
        const { code, lines } = await scenario("startFails");
        expect(code).toBe(0);
        expect(lineWith(lines, "cause")).toEqual({ cause: expect.stringContaining("no start today") });
        expect(lives(lines)).toEqual(["first started", "first stopped"]);
      },
      DEADLINE_MS,
    );

    test(
      "ends normally with the first of it that does",
      async () => {
        const { code, lines } = await scenario("leaves");
        expect(code).toBe(0);
        expect(lineWith(lines, "code")).toEqual({ code: "Died", restarts: 0 });
        expect(lives(lines)).toEqual([...up, ...down]);
      },
      DEADLINE_MS,
    );

    // A thread that hangs ends the process on Deno.
    if (runtime !== "deno")
      test(
        "that hangs is found by the kind, and begins anew",
        async () => {
          const { code, lines } = await scenario("hangs");
          expect(code).toBe(0);
          expect(lines).toContainEqual({ event: "actor-hung", actor: "core", kind: "spin" });
          expect(lineWith(lines, "code")).toEqual({ code: "Died" });
          expect(lineWith(lines, "restarts")).toEqual({ restarts: [1, 1, 0] });
        },
        DEADLINE_MS,
      );
  });
}
