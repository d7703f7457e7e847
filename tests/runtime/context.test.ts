import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { event, lineWith, run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("./fixtures/context/scenario.ts", import.meta.url));

for (const runtime of runtimes) {
  describe(`On ${runtime}, the context of a message`, () => {
    for (const thread of ["own", "main"]) {
      test(
        `goes on to what its handler asks, also behind an await, among others at once, and until it is over (thread: ${thread})`,
        async () => {
          const { code, lines } = await run(runtime, script, ["handsOn", thread]);
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
        MINUTE_MS,
      );
    }

    test(
      "has a signal that is aborted at its deadline",
      async () => {
        const { code, lines } = await run(runtime, script, ["deadline"]);
        expect(code).toBe(0);
        // Its answer and the deadline may meet: then either is heard.
        const { asked, ...rest } = lineWith(lines, "holding") as { asked: string };
        expect(["Expired", "answered Expired"]).toContain(asked);
        expect<object>(rest).toEqual({ holding: 1, reasons: ["Expired"] });
      },
      MINUTE_MS,
    );

    test(
      "is given up with the ask: the asker hears it at once, and the signals of all that was asked within it are aborted",
      async () => {
        const { code, lines } = await run(runtime, script, ["givesUp"]);
        expect(code).toBe(0);
        expect(lineWith(lines, "atOnce")).toEqual({ asked: "Cancelled", atOnce: "Cancelled" });
        expect(lineWith(lines, "holding")).toEqual({ holding: 1, reasons: ["Cancelled"] });
      },
      MINUTE_MS,
    );

    test(
      "has a signal that is aborted when its asker is gone",
      async () => {
        const { code, lines } = await run(runtime, script, ["askerGone"]);
        expect(code).toBe(0);
        expect(lineWith(lines, "asked")).toEqual({ asked: "Died" });
        expect(lineWith(lines, "holding")).toEqual({ holding: 1, reasons: ["Cancelled"] });
      },
      MINUTE_MS,
    );

    test(
      "has a signal that is aborted when a stop cuts its handler off",
      async () => {
        const { code, lines } = await run(runtime, script, ["stop"]);
        expect(code).toBe(0);
        expect(event(lines, "back-stopped")[0]?.reasons).toEqual(["Stopped"]);
      },
      MINUTE_MS,
    );
  });
}
