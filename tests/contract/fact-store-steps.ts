/** What a writer hands to its store, of commands at random in a shared space and a personal one: real facts, documents and heads. */
import type { Command, Intent } from "../../actors/resources/command.ts";
import type { Document, Head } from "../../actors/resources/document.ts";
import type { Fact } from "../../actors/resources/fact.ts";
import type { Json } from "../../actors/resources/field.ts";
import { idOf, SpaceForTests } from "../../actors/resources/space-for-tests.ts";
import { type Random, random } from "../system/random.ts";

export type FactStep = {
  readonly command: Command;
  readonly fact: Fact;
  readonly documents: readonly Document[];
  /** Undefined where the space has none: nothing was ever applied in it. */
  readonly head: Head | undefined;
};

export const users = [idOf(11), idOf(12)];
const [ann] = users as [string];
const shared = idOf(1);
const projectId = idOf(21);
const columns = ["todo", "done"].map((status, index) => ({ id: idOf(61 + index), name: `Column ${index}`, status }));

export function stepsOf(seed: number, count: number): FactStep[] {
  const choose = random(seed);
  const spaces = new Map([shared, ann].map((spaceId) => [spaceId, new SpaceForTests()]));
  return Array.from({ length: count }, (_, index): FactStep => {
    const spaceId = index === 0 || choose.chance(0.7) ? shared : ann;
    const space = spaces.get(spaceId) as SpaceForTests;
    const common = {
      operationId: idOf(1_000_000 * seed + index),
      keyed: choose.chance(0.5),
      fingerprint: `${index}`,
      spaceId,
      userId: choose.chance(0.9) ? ann : (users[1] as string),
      at: new Date(Date.UTC(2026, 0, 1) + index * 1_000).toISOString(),
    };
    const past = space.facts.length > 0 && choose.chance(0.1) ? choose.pick(space.facts) : undefined;
    const command: Command =
      past === undefined
        ? { ...common, kind: "change", intents: index === 0 ? [makesSpace] : intentsOf(choose, spaceId) }
        : { ...common, kind: "undo", undoes: past.operationId };
    const { fact, documents } = space.take(command);
    const head = space.head === null ? undefined : { ...space.head, position: index };
    return { command, fact: { ...fact, position: index }, documents, head };
  });
}

const makesSpace: Intent = { type: "space", kind: "create", id: shared, body: { name: "Home" } };

function intentsOf(choose: Random, spaceId: string): Intent[] {
  return Array.from({ length: 1 + choose.int(3) }, (): Intent => {
    if (choose.chance(0.15))
      return { type: "project", kind: "create", id: projectId, body: { name: "House", columns: columns as Json } };
    if (choose.chance(0.1))
      return { type: "space", kind: "patch", id: spaceId, body: { name: `Home ${choose.int(9)}` } };
    const id = idOf(31 + choose.int(4));
    const title = `Milk ${choose.int(100)}`;
    return choose.pick<Intent>([
      { type: "task", kind: "create", id, body: { title, labels: ["a", "b"], assigneeIds: [ann] } },
      { type: "task", kind: "create", id, body: { title, due: { date: "2026-01-31", time: "09:30" } } },
      { type: "task", kind: "patch", id, body: { title, priority: choose.pick(["low", "urgent"]) } },
      { type: "task", kind: "patch", id, body: { projectId: choose.pick([projectId, null]), labels: { add: ["c"] } } },
      { type: "task", kind: "delete", id, body: {} },
      { type: "task", kind: "restore", id, body: {} },
      { type: "comment", kind: "create", id: idOf(41 + choose.int(3)), body: { taskId: id, body: title } },
    ]);
  });
}
