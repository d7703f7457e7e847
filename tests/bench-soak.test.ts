import { expect, test } from "bun:test";

test("a second of twice the load under each policy is accounted for message by message", async () => {
  const soak = Bun.spawn(["bun", "bench/soak.ts", "--seconds", "1"], { stdout: "pipe", stderr: "inherit" });
  const lines = (await new Response(soak.stdout).text()).trim().split("\n");
  expect(lines.map((line) => line.split(/ +/).slice(0, 2).join(" "))).toEqual([
    "waiting fine",
    "rejecting fine",
    "shedding fine",
  ]);
  expect(await soak.exited).toBe(0);
}, 120_000);
