/** What the writers of some partitions tell, made up: each has a space with two tasks, whose versions follow each other. */
import type { Random } from "../../tests/system/random.ts";
import type { SpaceEntry } from "../redis/space-cache.ts";
import type { Document } from "../resources/document.ts";
import type { Fact } from "../resources/fact.ts";
import { idOf } from "../resources/space-for-tests.ts";
import type { Projected, Told } from "../resources/verdict.ts";

export type Said = Told | Projected;

export const partitions = 2;
export const tasks = [0, 1, 2, 3].map((number) => {
  const partition = number % partitions;
  return { spaceId: idOf(1 + partition), id: idOf(31 + number), partition };
});
export type Task = (typeof tasks)[number];
export const userId = idOf(11);
const at = "2026-01-01T00:00:00.000Z";

const toldOf = (said: readonly Said[]): Told[] => said.filter((each): each is Told => each.kind !== "projected");

/** The position of the last that was told; -1 before the first. */
export const endOf = (said: readonly Said[]): number => toldOf(said).length - 1;

export function versionAt(said: readonly Said[], { id }: Task, position: number): number {
  const changes = (told: Told) => told.kind === "decided" && told.fact.changes.some((change) => change.id === id);
  return toldOf(said).filter((told) => changes(told) && told.position <= position).length;
}

export const entryOf = (version: number, asOf: number): SpaceEntry => ({
  version,
  asOf,
  isDeleted: false,
  type: "task",
  text: "{}",
});

/** The next version of a task, now and then of both of its space, at the end of what is said; then perhaps how far the read model is. */
export function sayChange(said: Said[], task: Task, choose: Random): { position: number; changed: Document[] } {
  const { spaceId } = task;
  const position = endOf(said) + 1;
  const operationId = idOf(1_000 + position);
  const tasksChanged = choose.chance(0.2) ? tasks.filter((each) => each.spaceId === spaceId) : [task];
  const changed = tasksChanged.map((each): Document => {
    const common = { spaceId, id: each.id, type: "task", seq: position + 1, undoable: 0 };
    const fields = { title: "Milk", projectId: null };
    const version = 1 + versionAt(said, each, position);
    return { ...common, version, fields, creatorId: userId, createdAt: at, updatedAt: at };
  });
  const fact: Fact = {
    spaceId,
    operationId,
    fingerprint: "",
    keyed: false,
    position,
    seq: position + 1,
    at,
    actorId: userId,
    verdict: "applied",
    answers: [],
    changes: changed.map(({ id, version }) => ({ type: "task", id, version, kind: "changed", fields: {} })),
  };
  // Documents that are too large are not told.
  const documents = choose.chance(0.1) ? [] : changed;
  said.push({ kind: "decided", position, operationId, spaceId, fact, documents });
  if (choose.chance(0.3)) said.push({ kind: "projected", position: choose.int(position + 2) });
  return { position, changed };
}
