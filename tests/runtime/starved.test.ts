import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { lineWith, run, runtimes } from "./scenarios.ts";

const DEADLINE_MS = 130_000;
const script = fileURLToPath(new URL("./fixtures/starved/scenario.ts", import.meta.url));

for (const runtime of runtimes) {
  test(
    `On ${runtime}, an actor whose machine gives it a tenth of a processor starts, works and stops: nobody takes it for hung`,
    async () => {
      const { code, lines } = await run(runtime, script);
      const line = lineWith(lines, "startedMs") as { startedMs: number; workedMs: number };
      expect({ code, lines }).toEqual({ code: 0, lines: [line] });
      // The machine was as short of time as the test means it to be: longer than a start and a turn may take.
      expect(line.startedMs).toBeGreaterThan(600);
      expect(line.workedMs).toBeGreaterThan(2_000);
    },
    // What a hypervisor takes from the machine looks like time that the thread had: then there is another try.
    { timeout: DEADLINE_MS, retry: 2 },
  );
}
