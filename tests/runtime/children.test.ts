import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, event, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/children/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [["backOff", "names", "autoShutdown", "atRunTime", "clock"]]);
  describe(`On ${runtime}, a supervisor`, () => {
    test(
      "waits before restarts as it declares, and not as another does",
      async () => {
        const { code, lines } = await scenario("backOff");
        expect(code).toBe(0);
        const waits = (actor: string) =>
          event(lines, "child-terminated")
            .filter((line) => line.actor === actor && line.why === "abnormal")
            .map(({ restartInMs }) => restartInMs as number);
        expect(waits("first")).toEqual([0, 0, 0, 0]);
        const [atOnce, later = 0] = waits("second");
        expect(atOnce).toBe(0);
        // Any moment of 20,000 s, the first second among them: too early once in 20,000 runs.
        expect(later).toBeGreaterThan(1_000);
      },
      DEADLINE_MS,
    );

    test(
      "counts restarts by a clock that nobody puts forward",
      async () => {
        const { code, lines } = await scenario("clock");
        expect(code).toBe(0);
        expect(lineWith(lines, "failed").failed).toContain("reached max restart intensity (1 in 600000 ms) by first");
      },
      DEADLINE_MS,
    );

    test(
      "names the threads of its children",
      async () => {
        const { code, lines } = await scenario("names");
        expect(code).toBe(0);
        const { names } = lineWith(lines, "names") as { names: (string | null)[] };
        // Node tells a thread its name from 22.20 on.
        if (runtime === "node" && names.every((name) => name === null)) return;
        expect(names).toEqual(["first/0", "second/0"]);
      },
      DEADLINE_MS,
    );

    test(
      "ends with its other children when a significant one ends normally, not when it fails",
      async () => {
        const { code, lines } = await scenario("autoShutdown");
        expect(code).toBe(0);
        expect(lineWith(lines, "afterCrash")).toEqual({ afterCrash: 0, afterFinish: ["Died", 0] });
      },
      DEADLINE_MS,
    );

    test(
      "starts, restarts, lists and ends children at run time, and says why it cannot",
      async () => {
        const { code, lines } = await scenario("atRunTime");
        expect(code).toBe(0);
        expect(lineWith(lines, "before")).toEqual({
          before: "Died",
          found: ["one", "one"],
          others: {
            taken: "already_started",
            full: {
              code: "children_max",
              message:
                "Cannot start third under jobs: it has 1 children at run time already (childrenMax); stop one, or declare more",
            },
            unknown: "not_running",
            fixed: "not_found",
          },
          listed: [{ id: "second", type: "worker", state: "up" }],
          after: ["Died", "Died", 0],
          refused: ["start_failed", "cannot begin"],
          again: "two",
          last: { three: 3 },
          metrics: true,
        });
        expect(lineWith(lines, "stopped")).toEqual({ stopped: "not_running" });
      },
      DEADLINE_MS,
    );
  });
}
