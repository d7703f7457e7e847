import { expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("./fixtures/restless/scenario.ts", import.meta.url));

for (const runtime of runtimes) {
  test.each(["own", "main"])(
    `On ${runtime} an actor that tells itself the same again and again (thread: %s) leaves their turn to asks of others, timers and its stop`,
    async (thread) => {
      expect(await run(runtime, script, [thread])).toEqual({
        code: 0,
        lines: [{ alarmed: true, went: true, inTime: true }],
      });
    },
    MINUTE_MS,
  );
}
