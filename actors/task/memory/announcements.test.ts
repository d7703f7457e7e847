import { expect, test } from "bun:test";
import { commandOf, idOf, SpaceForTests } from "../../resources/space-for-tests.ts";
import type { Told, Verdict } from "../../resources/verdict.ts";
import { spaceAnnouncements } from "./announcements.ts";

const ann = idOf(11);
const soon = () => Date.now() + 20;
const late = () => Date.now() + 30_000;

function decided(position: number): Verdict {
  const id = idOf(100 + position);
  const command = commandOf({ spaceId: ann, userId: ann }, [
    { type: "task", kind: "create", id, body: { title: "A task" } },
  ]);
  const { fact, documents } = new SpaceForTests().take(command);
  const { operationId } = command;
  return { kind: "decided", position, spaceId: ann, operationId, fact: { ...fact, position }, documents };
}

test("a verdict that is told before its position is known here is not missed", async () => {
  const heard = spaceAnnouncements(Date.now);
  const told = decided(7);
  const expectation = heard.expect(told.operationId);
  heard.take(2, [told]);
  expect(await expectation.at({ partition: 2, offset: 7 }, late())).toBe(told);
});

test("a verdict of the same operation at another position is not taken for one's own", async () => {
  const heard = spaceAnnouncements(Date.now);
  const told = decided(7);
  const expectation = heard.expect(told.operationId);
  heard.take(2, [told]);
  const mine = expectation.at({ partition: 2, offset: 9 }, late());
  const { operationId, spaceId } = told;
  const again: Told = { kind: "expired", position: 9, operationId, spaceId };
  heard.take(1, [again]);
  heard.take(2, [again]);
  expect(await mine).toBe(again);
});

test("a command that is parked is told to who waits for its verdict", async () => {
  const heard = spaceAnnouncements(Date.now);
  const parked: Told = { kind: "parked", position: 3, reason: "not JSON" };
  const mine = heard.expect(idOf(1)).at({ partition: 0, offset: 3 }, late());
  heard.take(0, [parked]);
  expect(await mine).toBe(parked);
});

test("a wait ends at its deadline, and nothing is told to it later", async () => {
  const heard = spaceAnnouncements(Date.now);
  const told = decided(1);
  const mine = heard.expect(told.operationId).at({ partition: 0, offset: 1 }, soon());
  const position = { partition: 0, offset: 1 };
  expect(await Promise.all([mine, heard.untilTold(position, soon()), heard.untilProjected(position, soon())])).toEqual([
    undefined,
    false,
    false,
  ]);
  heard.take(0, [told]);
  expect(await heard.untilTold(position, soon())).toBe(true);
});

test("positions grow with what is told and what is projected, and never go back", async () => {
  const heard = spaceAnnouncements(Date.now);
  heard.begin([{ partition: 0, told: 4, projected: 3, from: 3 }]);
  expect([heard.told(0), heard.projected(0), heard.told(1), heard.projected(1)]).toEqual([4, 3, -1, 0]);
  const told = heard.untilTold({ partition: 0, offset: 6 }, late());
  const projected = heard.untilProjected({ partition: 0, offset: 5 }, late());
  heard.take(0, [
    decided(5),
    decided(6),
    { kind: "projected", position: 6 },
    decided(5),
    { kind: "projected", position: 2 },
  ]);
  expect(await Promise.all([told, projected])).toEqual([true, true]);
  expect([heard.told(0), heard.projected(0)]).toEqual([6, 6]);
  expect(await heard.untilProjected({ partition: 0, offset: 6 }, soon())).toBe(false);
});
