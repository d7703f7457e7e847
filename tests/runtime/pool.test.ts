import { describe, expect, test } from "bun:test";
import { DEADLINE_MS, lineWith, played, runtimes } from "./scenarios.ts";

const script = new URL("./fixtures/pool/scenario.ts", import.meta.url);

for (const runtime of runtimes) {
  const scenario = played(runtime, script, [["burst", "deaths"]]);
  describe(`On ${runtime}, a pool has one queue`, () => {
    test(
      "of which the next free member takes the next message: none waits behind a long one",
      async () => {
        const { code, lines } = await scenario("burst");
        expect(code).toBe(0);
        const { counts } = lineWith(lines, "counts") as { counts: number[] };
        // Three members share what the fourth, which is busy all the time, has no time for.
        const [none, ...others] = counts.toSorted((a, b) => a - b);
        expect(none).toBe(0);
        for (const each of others) expect(each).toBeGreaterThanOrEqual(1);
      },
      DEADLINE_MS,
    );

    test(
      "which survives the death of members: every ask settles, and every message is accounted for",
      async () => {
        const { code, lines } = await scenario("deaths");
        expect(code).toBe(0);
        const { answered, ...rest } = lineWith(lines, "answered") as { answered: number };
        expect(rest as unknown).toEqual({ settled: 60, others: [], expired: ["Expired"] });
        // Those under way die with their members, one each.
        expect(answered).toBeGreaterThanOrEqual(50);
        const { sent, settled } = lineWith(lines, "sent") as { sent: number; settled: number };
        expect(settled).toBe(sent);
        expect(sent).toBe(68);
      },
      DEADLINE_MS,
    );
  });
}
