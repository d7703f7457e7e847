import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { DEADLINE_MS, run, runtimes } from "./scenarios.ts";

const script = fileURLToPath(new URL("./fixtures/starved/scenario.ts", import.meta.url));

for (const runtime of runtimes) {
  test(
    `On ${runtime}, an actor whose machine gives it a tenth of a processor starts, works and stops: nobody takes it for hung`,
    async () => {
      // The machine was as short of time as the test means it to be: longer than a start and a turn may take.
      expect(await run(runtime, script, ["starved"])).toEqual({
        code: 0,
        lines: [
          { scenario: "starved" },
          { isLongStart: true, isLongWork: true },
          { scenario: "starved", isOver: true },
        ],
      });
    },
    // What a hypervisor takes from the machine looks like time that the thread had: then there is another try.
    { timeout: DEADLINE_MS, retry: 2 },
  );
}
