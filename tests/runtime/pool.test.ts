import { describe, expect, test } from "bun:test";
import { fileURLToPath } from "node:url";
import { lineWith, run, runtimes } from "./scenarios.ts";

const MINUTE_MS = 70_000;
const script = fileURLToPath(new URL("./fixtures/pool/scenario.ts", import.meta.url));

for (const runtime of runtimes) {
  describe(`On ${runtime}, a pool has one queue`, () => {
    test(
      "of which the next free member takes the next message: none waits behind a long one",
      async () => {
        const { code, lines } = await run(runtime, script, ["burst"]);
        expect(code).toBe(0);
        const { counts, isLongOver } = lineWith(lines, "counts") as { counts: number[]; isLongOver: boolean };
        expect(isLongOver).toBe(false);
        // Three members share what the fourth has no time for.
        const [none = -1, ...others] = counts.toSorted((a, b) => a - b);
        expect(none).toBe(0);
        for (const each of others) expect(each).toBeGreaterThan(6);
      },
      MINUTE_MS,
    );

    test(
      "which survives the death of members: every ask settles, and every message is accounted for",
      async () => {
        const { code, lines } = await run(runtime, script, ["deaths"]);
        expect(code).toBe(0);
        const { answered, ...rest } = lineWith(lines, "answered") as { answered: number };
        expect(rest as unknown).toEqual({ settled: 60, others: [], expired: ["Expired"] });
        // Those under way die with their members, one each.
        expect(answered).toBeGreaterThanOrEqual(50);
        const { sent, settled } = lineWith(lines, "sent") as { sent: number; settled: number };
        expect(settled).toBe(sent);
        expect(sent).toBe(68);
      },
      MINUTE_MS,
    );
  });
}
