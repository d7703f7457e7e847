import { expect, test } from "bun:test";
import { v4, v7 } from "uuid";
import { changeCounters, changeCountersBytes } from "./change-counters.ts";

test("a task's generation moves with each of its changes, and with a change of all, for everybody who shares the memory", () => {
  const shared = new SharedArrayBuffer(changeCountersBytes);
  const [writer, reader] = [changeCounters(shared), changeCounters(shared)];
  for (const id of [v4(), v7(), "00000000-0000-4000-8000-000000000000", "ffffffff-ffff-4fff-bfff-ffffffffffff"]) {
    const seen = new Set([reader.of(id)]);
    for (let times = 0; times < 50; times++) {
      if (times % 7 === 0) writer.changedAll();
      else writer.changed(id);
      seen.add(reader.of(id));
    }
    expect(seen.size).toBe(51);
  }
});

test("a change of one task leaves nearly all others alone", () => {
  const counted = changeCounters(new SharedArrayBuffer(changeCountersBytes));
  const others = Array.from({ length: 2_000 }, () => v4());
  const before = others.map(counted.of);
  for (let times = 0; times < 100; times++) counted.changed(v4());
  expect(others.filter((id, index) => counted.of(id) !== before[index]).length).toBeLessThan(40);
});
