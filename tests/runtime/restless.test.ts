import { expect, test } from "bun:test";
import { DEADLINE_MS, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/restless/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [["own", "main"]]);
  test.each(["own", "main"])(
    `On ${runtime} an actor that tells itself the same again and again (thread: %s) leaves their turn to asks of others, timers and its stop`,
    async (thread) => {
      expect(await scenario(thread)).toEqual({ code: 0, lines: [{ isBeforeItsEnd: true }] });
    },
    DEADLINE_MS,
  );
}
