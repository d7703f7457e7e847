import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { DEADLINE_MS, event, lineWith, played, run, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/scenario.ts", import.meta.url);
/** RESTARTS=200 restarts more often. */
const RESTARTS = Number(process.env.RESTARTS ?? 30);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [
    ["failures", "stillborn", "flood", "churn", "deadlines", "pool", "shared", "spare", "hang"],
    ["crashLoop"],
  ]);
  describe(`On ${runtime}, in real threads`, () => {
    test(
      "a throw fails its ask with name, message, code and cause, and the actor lives on",
      async () => {
        const { code, lines } = await scenario("failures");
        expect(code).toBe(0);
        expect(lineWith(lines, "thrown")).toEqual({
          thrown: { name: "RangeError", code: "number-missing", message: "no such number", cause: "the deeper reason" },
          same: true,
        });

        for (const [kind, lastError] of [
          ["uncaught", "thrown in subject"],
          ["reject", "rejected in subject"],
          ["exit", "Cannot go on: subject ended its own thread"],
        ] as const) {
          // At once, not at the ask's deadline; how many milliseconds that is, bench:runtime tells.
          expect(lines.find((each) => each.kind === kind)).toMatchObject({
            codes: ["Died"],
            down: "Died",
            other: true,
            lastError,
          });
        }
        expect(event(lines, "stop-hook").map(({ actor, reason }) => `${actor}: ${reason}`)).toEqual([
          "subject: thrown in subject",
          "subject: rejected in subject",
          "subject: shutdown",
        ]);
        expect(lineWith(lines, "others")).toEqual({ others: 1 });
      },
      DEADLINE_MS,
    );

    test(
      "an endless loop is found with its kind; its thread is ended, or the process where it cannot be",
      async () => {
        const { code, lines } = await scenario("hang");
        expect(event(lines, "actor-hung")).toMatchObject([{ actor: "subject", kind: "loop" }]);
        if (runtime !== "deno") {
          expect(code).toBe(0);
          expect(lines.find((line) => "codes" in line)).toMatchObject({ codes: ["Died"], down: "Died", other: true });
          // A question of the scenario itself may have been seen at work too.
          expect(lineWith(lines, "inspected")).toEqual({ inspected: expect.arrayContaining(["loop"]) });
        } else {
          expect(code).toBe(1);
          expect(event(lines, "thread-not-ended")).toHaveLength(1);
        }
      },
      DEADLINE_MS,
    );

    test(
      "a crash loop beyond the intensity ends the process with 1",
      async () => {
        const { code, lines } = await scenario("crashLoop");
        expect(code).toBe(1);
        expect(event(lines, "stop-hook")).toHaveLength(4);
        expect(event(lines, "system-failed")).toEqual([
          {
            event: "system-failed",
            error:
              "Cannot go on: the supervisor root gave up: reached max restart intensity (3 in 600000 ms) by subject",
            stack: expect.stringMatching(/Caused by: Error: thrown in subject[\s\S]*subject\.ts/),
          },
        ]);
      },
      DEADLINE_MS,
    );

    test(
      "a child that cannot start rolls the start back and rejects it with the reason",
      async () => {
        const { lines } = await scenario("stillborn");
        expect(lineWith(lines, "started")).toMatchObject({
          started: { message: expect.stringContaining("no such place") },
          left: "down",
        });
      },
      DEADLINE_MS,
    );

    test(
      "a flood at twice the capacity keeps to the mailbox's bound, loses nothing that waits and accounts for every message",
      async () => {
        const { code, lines } = await scenario("flood");
        expect(code).toBe(0);
        const of = (name: string) =>
          lines.find((line) => line.name === name) as {
            sent: number;
            sum: number;
            total: number;
            counts: Record<string, number>;
          };
        for (const name of ["waiting", "rejecting", "shedding"]) {
          const { sent, sum, total, counts } = of(name);
          expect({ name, sent, counted: counts.sent, sum }).toEqual({ name, sent: 2_000, counted: 2_000, sum: 2_000 });
          expect(total).toBe(counts.handled as number);
          expect(counts.dead).toBe(0);
        }
        expect(of("waiting").counts.handled).toBe(2_000);
        expect(of("rejecting").counts.rejected).toBeGreaterThan(0);
        expect(of("shedding").counts.shed).toBeGreaterThan(0);
        // Only the lossy half may be shed.
        expect(of("shedding").counts.handled).toBeGreaterThanOrEqual(1_000);
        const { deepest, grownMb } = lineWith(lines, "deepest") as { deepest: number; grownMb: number };
        expect(deepest).toBeLessThanOrEqual(64);
        expect(grownMb).toBeLessThan(60);
      },
      DEADLINE_MS,
    );

    test(
      `${RESTARTS} restarts leak no memory and no listener, and account for every message`,
      async () => {
        const { code, lines } = await scenario("churn");
        expect(code).toBe(0);
        const { restarts, memory, handles, threads } = lineWith(lines, "restarts") as {
          restarts: number;
          memory: number[];
          handles: number[];
          threads: number[];
        };
        expect(restarts).toBe(RESTARTS);
        expect(memory).toHaveLength(10);
        // In the second half. The runtimes' own threads come and go, but not one for each restart; one that stayed would cost 4 to 13 MB each time.
        expect((threads.at(-1) ?? 0) - (threads[4] ?? 0)).toBeLessThan(RESTARTS / 4);
        expect((memory.at(-1) ?? 0) - (memory[4] ?? 0)).toBeLessThan(40);
        expect(new Set(handles).size).toBe(1);
      },
      DEADLINE_MS,
    );

    test(
      "SIGTERM during load loses nothing that was accepted, lets a stopping actor ask those left of it, and exits 0",
      async () => {
        const { code, lines } = await run(runtime, fileURLToPath(script), ["sigterm"], (line, kill) => {
          if ("pid" in line) kill("SIGTERM");
        });
        expect(code).toBe(0);
        const pressed = event(lines, "pressed")[0] as {
          asked: number;
          answered: number;
          refused: number;
          last: number;
        };
        expect(pressed.asked).toBeGreaterThan(1_000);
        expect(pressed).toMatchObject({ answered: pressed.asked, refused: 0, last: 42 });
        expect(event(lines, "stop-hook")).toMatchObject([{ reason: "shutdown" }]);
      },
      DEADLINE_MS,
    );

    test(
      "a deadline ends an ask, bounds what is asked within it, and drops expired work before its handler",
      async () => {
        const { code, lines } = await scenario("deadlines");
        expect(code).toBe(0);
        expect(lineWith(lines, "plain")).toEqual({
          plain: "Expired",
          nested: "Expired",
          dropped: "Expired",
          begun: false,
          isCounted: true,
        });
      },
      DEADLINE_MS,
    );

    test(
      "a pool keeps a key to one member and in order, all hear what is published in order, a batch gathers, an actor lives in the main thread too",
      async () => {
        const { code, lines } = await scenario("pool");
        expect(code).toBe(0);
        const line = lineWith(lines, "homes") as { homes: number[][]; batches: number };
        expect(line.homes.every((homes) => homes.length === 1)).toBe(true);
        expect(new Set(line.homes.flat()).size).toBe(3);
        expect(line).toMatchObject({
          ordered: true,
          published: true,
          entries: 99,
          refused: { name: "RangeError", message: "cannot enter -1" },
          here: 7,
        });
        expect(line.batches).toBeGreaterThan(50);
      },
      DEADLINE_MS,
    );

    test(
      "all threads count in the same shared memory",
      async () => {
        const { code, lines } = await scenario("shared");
        expect(code).toBe(0);
        expect(lineWith(lines, "counts")).toMatchObject({ members: 2, counts: [0, 10, 20, 30, 40, 50] });
      },
      DEADLINE_MS,
    );

    test(
      "a warm spare takes over from an actor that failed, time after time",
      async () => {
        const { code, lines } = await scenario("spare");
        expect(code).toBe(0);
        // Loaded before the failure, and so not because of it.
        expect(lineWith(lines, "warm")).toEqual({ warm: 2 });
      },
      DEADLINE_MS,
    );
  });
}
