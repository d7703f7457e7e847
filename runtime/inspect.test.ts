import { expect, test } from "bun:test";
import { type ActorView, prometheusText } from "./inspect.ts";

const actorOf = (actor: string, index: number): ActorView => ({
  actor,
  index,
  state: "up",
  restarts: 2,
  upSinceMs: 1,
  depth: 3,
  limit: 64,
  busy: undefined,
  oldest: undefined,
  handledPerSecond: 5,
  counts: { sent: 10, handled: 6, failed: 1, expired: 1, rejected: 0, shed: 0, dead: 0 },
  lastError: undefined,
});

test("Prometheus text has a help, a type and one sample per actor, however deep it is in the tree", () => {
  const limits = { strategy: "one_for_one", intensity: 1, periodMs: 1, state: "running" } as const;
  const text = prometheusText({
    supervisor: "root",
    ...limits,
    children: [actorOf("task", 0), { supervisor: "inner", ...limits, children: [actorOf("task", 1)] }],
  });
  expect(text.endsWith("\n")).toBe(true);
  const lines = text.trim().split("\n");
  expect(lines.slice(0, 4)).toEqual([
    "# HELP actor_up Whether the actor takes messages.",
    "# TYPE actor_up gauge",
    'actor_up{actor="task",index="0"} 1',
    'actor_up{actor="task",index="1"} 1',
  ]);
  expect(lines).toContain('actor_messages_total{actor="task",index="1",fate="handled"} 6');
  expect(lines).toContain('actor_mailbox_depth{actor="task",index="0"} 3');
  expect(lines.filter((line) => !/^(# (HELP|TYPE) \w+ .+|\w+\{(\w+="[^"]*",?)+\} -?[\d.]+)$/.test(line))).toEqual([]);
});
