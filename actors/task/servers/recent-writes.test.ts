/** For which of a reader's own writes a read waits. */
import { expect, test } from "bun:test";
import { idOf } from "../../resources/space-for-tests.ts";
import { spaceAnnouncements } from "../memory/announcements.ts";
import { processPositions } from "../memory/process-positions.ts";
import { recentWrites } from "./recent-writes.ts";

const ann = idOf(11);
const reader = { userId: ann, token: undefined };

/** A process whose workers have heard all up to position 4 of the one partition. */
function world() {
  const announcements = spaceAnnouncements(() => 0);
  announcements.begin([{ partition: 0, told: 4, projected: 5, from: 0 }]);
  const process = processPositions(new SharedArrayBuffer(4 * 65_536), () => 1);
  const worker = (isOnlyWorker: boolean) => {
    const heads = { unprojectedOf: () => new Map() };
    const own = recentWrites({ announcements, heads, process, cache: undefined, isAlone: () => true, isOnlyWorker });
    const isTold = (least: number) => own.isTold(reader, 0, least);
    return {
      ...own,
      ofOne: () => isTold(own.leastToldOfOne(reader, ann, 0)),
      ofAll: () => isTold(own.leastTold(reader, ann, 0)),
    };
  };
  const tell = (position: number) =>
    announcements.take(0, [{ kind: "expired", position, operationId: idOf(1), spaceId: ann }]);
  return { worker, tell };
}

test("a creation that was answered before it was decided holds up lists, and no resource but its own", () => {
  const { worker, tell } = world();
  const { record, ofOne, ofAll } = worker(true);
  record(ann, { partition: 0, offset: 5 }, undefined);
  expect([ofOne(), ofAll()]).toEqual([true, false]);
  tell(5);
  expect([ofOne(), ofAll()]).toEqual([true, true]);
});

test("a change that was answered as pending holds up every resource", () => {
  const { worker, tell } = world();
  const { record, ofOne, ofAll } = worker(true);
  record(ann, { partition: 0, offset: 5 }, { spaceId: ann, operationId: idOf(1) });
  expect([ofOne(), ofAll()]).toEqual([false, false]);
  tell(5);
  expect([ofOne(), ofAll()]).toEqual([true, true]);
});

test("a creation that another worker made, or one whose place this one took, holds up every resource", () => {
  const { worker, tell } = world();
  const [before, other] = [worker(true), worker(false)];
  before.record(ann, { partition: 0, offset: 5 }, undefined);
  const after = worker(true);
  expect([after.ofOne(), other.ofOne()]).toEqual([false, false]);
  after.record(ann, { partition: 0, offset: 6 }, undefined);
  expect(after.ofOne()).toBe(false);
  tell(5);
  expect([after.ofOne(), after.ofAll(), other.ofOne()]).toEqual([true, false, false]);
});
