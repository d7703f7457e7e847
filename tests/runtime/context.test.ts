import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, event, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/context/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [["handsOnOwn", "handsOnMain", "deadline", "givesUp", "askerGone", "stop"]]);
  describe(`On ${runtime}, the context of a message`, () => {
    for (const thread of ["own", "main"]) {
      test(
        `goes on to what its handler asks, also behind an await, among others at once, and until it is over (thread: ${thread})`,
        async () => {
          const { code, lines } = await scenario(thread === "own" ? "handsOnOwn" : "handsOnMain");
          expect(code).toBe(0);
          const traces = Array.from({ length: 8 }, (_, index) => [`00-trace-${index}`]);
          expect(lineWith(lines, "traces")).toEqual({
            traces: [...traces, ...traces],
            isBounded: true,
            apart: [null, null],
            isApartBounded: false,
          });
          expect(lineWith(lines, "late")).toEqual({ late: null });
        },
        DEADLINE_MS,
      );
    }

    test(
      "has a signal that is aborted at its deadline",
      async () => {
        const { code, lines } = await scenario("deadline");
        expect(code).toBe(0);
        // Its answer and the deadline may meet: then either is heard.
        const { asked, ...rest } = lineWith(lines, "holding") as { asked: string };
        expect(["Expired", "answered Expired"]).toContain(asked);
        expect<object>(rest).toEqual({ holding: 1, reasons: ["Expired"] });
      },
      DEADLINE_MS,
    );

    test(
      "is given up with the ask: the asker hears it at once, and the signals of all that was asked within it are aborted",
      async () => {
        const { code, lines } = await scenario("givesUp");
        expect(code).toBe(0);
        expect(lineWith(lines, "atOnce")).toEqual({ asked: "Cancelled", atOnce: "Cancelled" });
        expect(lineWith(lines, "holding")).toEqual({ holding: 1, reasons: ["Cancelled"] });
      },
      DEADLINE_MS,
    );

    test(
      "has a signal that is aborted when its asker is gone",
      async () => {
        const { code, lines } = await scenario("askerGone");
        expect(code).toBe(0);
        expect(lineWith(lines, "asked")).toEqual({ asked: "Died" });
        expect(lineWith(lines, "holding")).toEqual({ holding: 1, reasons: ["Cancelled"] });
      },
      DEADLINE_MS,
    );

    test(
      "has a signal that is aborted when a stop cuts its handler off",
      async () => {
        const { code, lines } = await scenario("stop");
        expect(code).toBe(0);
        expect(event(lines, "back-stopped")[0]?.reasons).toEqual(["Stopped"]);
      },
      DEADLINE_MS,
    );
  });
}
