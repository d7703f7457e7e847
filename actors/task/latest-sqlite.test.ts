import { expect, test } from "bun:test";
import { randomUUID } from "node:crypto";
import { generations, generationsBytes } from "../model/generations.ts";
import { latestInSqlite } from "./latest-sqlite.ts";
import type { StoredTask } from "./ports.ts";

function edge() {
  const shared = new SharedArrayBuffer(generationsBytes);
  const stored = new Map<string, StoredTask>();
  let reads = 0;
  const writer = generations(shared);
  const latest = latestInSqlite({
    reads: {
      task: (id) => {
        reads += 1;
        return stored.get(id);
      },
      position: () => ({ partition: 0, offset: 7 }),
    },
    generations: generations(shared),
    now: Date.now,
  });
  const write = (id: string, version: number, json = `v${version}`) =>
    stored.set(id, { ownerId: "a", version, deleted: false, json });
  const read = async (id: string) => (await latest.task({ userId: "a", token: undefined }, id)).task?.json;
  return { writer, write, read, reads: () => reads };
}

test("a task is read from the file once, and again as soon as the writer has counted it on", async () => {
  const { writer, write, read, reads } = edge();
  const id = randomUUID();
  write(id, 1);
  expect([await read(id), await read(id), await read(id), reads()]).toEqual(["v1", "v1", "v1", 1]);
  write(id, 2);
  writer.changed(id);
  expect([await read(id), await read(id), reads()]).toEqual(["v2", "v2", 2]);
  write(id, 3);
  writer.changedAll();
  expect([await read(id), reads()]).toEqual(["v3", 3]);
});

test("what is not there is looked for each time, since its making is what the next reader waits for", async () => {
  const { write, read } = edge();
  const id = randomUUID();
  expect(await read(id)).toBeUndefined();
  write(id, 1);
  expect(await read(id)).toBe("v1");
});

test("large tasks are forgotten before they fill the memory", async () => {
  const { write, read, reads } = edge();
  const ids = Array.from({ length: 40 }, () => randomUUID());
  for (const id of ids) {
    write(id, 1, "x".repeat(1_000_000));
    await read(id);
  }
  await read(ids.at(-1) as string);
  expect(reads()).toBe(40);
  await read(ids[0] as string);
  expect(reads()).toBe(41);
});
