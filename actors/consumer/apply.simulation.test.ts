/**
 * The writers of a log on a store without transactions, over thousands of schedules: crashes between any two documents, lost answers, writers that
 * do not know that they were replaced, batches that come again and are cut otherwise, and one key used for several tasks at once. Each seed is one
 * schedule; a failing one is named and plays again.
 */
import { describe, expect, test } from "bun:test";
import { type Random, random } from "../../tests/system/random.ts";
import { schedules } from "../../tests/system/schedules.ts";
import type { Command, Outcome } from "../model/command.ts";
import { taskText } from "../model/created.ts";
import { type Change, past } from "../model/past.ts";
import { changeIn, type OperationDocument } from "../mongo/read-model.ts";
import { apply, type Delivery, type Store } from "./apply.ts";
import { command, userA, userB } from "./commands-for-tests.ts";
import { decide, type TaskState } from "./decide.ts";
import { emptyStored, readModelOver, type Stored, type Turn, type Without } from "./mongo-for-tests.ts";
import { mongoStore } from "./store-mongo.ts";

const partitions = 2;
const taskIds = Array.from({ length: 4 }, (_, index) => `00000000-0000-7000-8000-00000000000${index}`);
const partitionOf = (taskId: string): number => Number(taskId.at(-1)) % partitions;
/** Turns until every schedule has come to its end. */
const turnsMax = 20_000;
/** More than the longest chain of promises between two turns. */
const ticks = 60;

type World = {
  readonly choose: Random;
  readonly log: readonly (readonly Delivery[])[];
  readonly stored: Stored;
  readonly committed: number[];
  /** By partition, which writer the group takes commits from. */
  readonly generation: number[];
  readonly announced: { readonly delivery: Delivery; readonly outcome: Outcome | undefined }[];
  readonly faults: string[];
};

type Parked = { readonly writer: Writer; readonly go: () => void; readonly fail: (error: Error) => void };
type Writer = { readonly partition: number; readonly generation: number; over: boolean };

/** What a test takes away, to see that the invariants notice. */
type Broken = {
  readonly without?: Without;
  readonly store?: (store: Store) => Store;
  readonly commitFirst?: true;
};

/** Commands on few tasks with few keys, so that repeats, other requests under the same key and clashes between tasks are common. */
function logOf(choose: Random): Delivery[][] {
  const log: Delivery[][] = Array.from({ length: partitions }, () => []);
  const tasks = taskIds.slice(0, choose.pick([2, 2, 4]));
  const earlier: Command[] = [];
  for (let count = 6 + choose.int(9); count > 0; count -= 1) {
    const first = earlier.length > 0 && choose.chance(0.4) ? choose.pick(earlier) : undefined;
    const isRepeat = choose.chance(0.5);
    const taskId = first !== undefined && isRepeat ? first.taskId : choose.pick(tasks);
    const kind = choose.pick([
      "create",
      "create",
      "patch",
      "patch",
      "patch",
      "replace",
      "delete",
      "restore",
      "undo",
    ] as const);
    const body =
      kind === "create" || kind === "patch" || kind === "replace" ? { title: choose.pick(["a", "b", "c"]) } : {};
    const fresh = command({
      kind,
      taskId,
      // Of one operation's id, a user's.
      userId: first?.userId ?? (choose.chance(0.9) ? userA : userB),
      keyed: true,
      body,
      fingerprint: `${kind} ${taskId} ${body.title}`,
      at: `2026-01-31T09:30:0${choose.int(10)}.000Z`,
      ...(choose.chance(0.2) ? { expected: [1 + choose.int(3)] } : {}),
    });
    const other = { ...fresh, operationId: first?.operationId ?? fresh.operationId };
    const next = first === undefined ? fresh : isRepeat && choose.chance(0.7) ? first : other;
    earlier.push(next);
    const partition = partitionOf(next.taskId);
    const there = log[partition] as Delivery[];
    there.push({ position: { partition, offset: there.length }, command: next });
  }
  return log;
}

/** One writer as source-kafka.ts and writer-kafka.ts put it together: batches of its partition, announced and then committed. */
async function write(world: World, writer: Writer, turn: Turn, broken: Broken): Promise<void> {
  const { choose, log, committed, generation, announced } = world;
  const plain = mongoStore(readModelOver(world.stored, turn, broken.without), {
    partitions: log.length,
    now: () => 0,
  });
  const store = broken.store?.(plain) ?? plain;
  const deliveries = log[writer.partition] ?? [];
  const commit = async (offset: number): Promise<void> => {
    await turn();
    if (generation[writer.partition] === writer.generation) committed[writer.partition] = offset;
  };
  for (let from = committed[writer.partition] ?? 0; from < deliveries.length; ) {
    const batch = deliveries.slice(from, from + 1 + choose.int(5));
    const end = from + batch.length;
    try {
      if (broken.commitFirst) await commit(end);
      const outcomes = await apply(store, batch);
      for (const [index, delivery] of batch.entries()) {
        await turn();
        isVisible(world, delivery, outcomes[index]);
        announced.push({ delivery, outcome: outcomes[index] });
      }
      if (!broken.commitFirst) await commit(end);
    } catch (error) {
      if (!(error as Error).message.startsWith("Lost")) throw error;
      continue;
    }
    if (generation[writer.partition] !== writer.generation && choose.chance(0.5)) return;
    from = end;
  }
}

/** Announced means readable. */
function isVisible({ stored, faults }: World, { command: { taskId } }: Delivery, outcome: Outcome | undefined): void {
  if (outcome?.verdict !== "applied") return;
  if (Number(stored.tasks.get(taskId)?.version ?? 0) < Number(outcome.version))
    faults.push("an effect was announced before it could be read");
  if (!stored.operations.has(outcome.operationId))
    faults.push("an operation was announced before its record was there");
}

/** Plays one schedule to its end; what went wrong. */
async function play(seed: number, broken: Broken = {}): Promise<string[]> {
  const choose = random(seed);
  const log = logOf(choose);
  const world: World = {
    choose,
    log,
    stored: emptyStored(),
    committed: log.map(() => 0),
    generation: log.map(() => 0),
    announced: [],
    faults: [],
  };
  const writers: Writer[] = [];
  let parked: Parked[] = [];
  const settled = async (): Promise<void> => {
    for (let tick = 0; tick < ticks; tick += 1) await undefined;
  };
  function start(partition: number): void {
    const writer: Writer = {
      partition,
      generation: (world.generation[partition] = (world.generation[partition] ?? 0) + 1),
      over: false,
    };
    writers.push(writer);
    const turn: Turn = () =>
      new Promise((go, fail) => {
        if (!writer.over) parked.push({ writer, go, fail });
      });
    write(world, writer, turn, broken)
      .catch((error: Error) => void world.faults.push(error.message))
      .finally(() => {
        writer.over = true;
      });
  }
  const crash = (writer: Writer): void => {
    writer.over = true;
    parked = parked.filter((each) => each.writer !== writer);
  };

  let crashes = choose.int(4);
  let replacements = choose.int(4);
  let losses = choose.int(4);
  for (let partition = 0; partition < partitions; partition += 1) start(partition);
  for (let turns = 0; turns < turnsMax; turns += 1) {
    await settled();
    if (crashes > 0 && choose.chance(0.04) && writers.some(({ over }) => !over)) {
      crashes -= 1;
      crash(choose.pick(writers.filter(({ over }) => !over)));
    } else if (replacements > 0 && choose.chance(0.04)) {
      replacements -= 1;
      start(choose.int(partitions));
      continue;
    }
    if (parked.length === 0) {
      const behind = log.findIndex(({ length }, partition) => (world.committed[partition] ?? 0) < length);
      const isOver = behind < 0 || (broken.commitFirst && writers.every(({ over }) => over));
      if (isOver) break;
      start(behind);
      continue;
    }
    const next = choose.pick(parked);
    parked = parked.filter((each) => each !== next);
    if (losses > 0 && choose.chance(0.03)) {
      losses -= 1;
      next.fail(new Error("Lost: the connection was cut"));
    } else next.go();
  }
  if (parked.length > 0) world.faults.push("the writers do not come to an end");
  return [...world.faults, ...violations(world)];
}

/** The log taken one by one, with no faults; which of several tasks has a key is as the store says. */
function sequentially({ log, stored }: World) {
  const states = new Map<string, TaskState>();
  const histories = new Map<string, Change[]>();
  const outcomes = new Map<Delivery, Outcome>();
  const firsts = new Map<string, Delivery>();
  for (const delivery of log.flat()) {
    const { operationId, taskId } = delivery.command;
    if (stored.operations.get(operationId)?.task === taskId && !firsts.has(operationId))
      firsts.set(operationId, delivery);
  }
  for (const delivery of log.flat()) {
    const { operationId, taskId, userId, fingerprint, kind } = delivery.command;
    const first = firsts.get(operationId) ?? delivery;
    const addressed = { operationId, taskId, userId, position: first.position };
    if (first !== delivery) {
      const known = outcomes.get(first);
      const isSame = first.command.taskId === taskId && first.command.fingerprint === fingerprint;
      outcomes.set(
        delivery,
        isSame && known !== undefined
          ? { ...known, verdict: "replayed" }
          : { ...addressed, verdict: "rejected", code: "idempotency-mismatch" },
      );
      continue;
    }
    const current = states.get(taskId);
    const changes = histories.get(taskId) ?? [];
    const decision = decide(
      current,
      delivery.command,
      current === undefined ? undefined : changes[current.undoable - 1],
    );
    if (decision.verdict === "rejected") {
      outcomes.set(delivery, { ...addressed, verdict: "rejected", code: decision.code });
      continue;
    }
    const { state, history } = decision;
    states.set(taskId, state);
    histories.set(taskId, history === undefined ? changes : [...changes, history]);
    const outcome: Outcome = { ...addressed, verdict: "applied", version: state.task.version };
    if (state.deleted) outcome.deleted = true;
    if (kind !== "delete") outcome.task = taskText(state.task);
    outcomes.set(delivery, outcome);
  }
  return { states, histories, outcomes };
}

/** Every promise that the end of a schedule breaks. */
function violations(world: World): string[] {
  const { stored, log, announced } = world;
  const found: string[] = [];
  const { states, histories, outcomes } = sequentially(world);
  const text = (value: unknown) => JSON.stringify(value);
  for (const taskId of taskIds) {
    const changes = [...stored.operations.values()]
      .filter(({ task }) => task === taskId)
      .flatMap((each) => changeIn(each as unknown as OperationDocument))
      .sort((a, b) => a.entry.version - b.entry.version);
    const versions = changes.map(({ entry }) => entry.version);
    if (text(versions) !== text(versions.map((_, index) => index + 1))) found.push(`versions are ${versions}`);
    const operations = changes.map(({ entry }) => entry.operationId);
    if (new Set(operations).size !== operations.length) found.push("an operation took effect twice");
    if (text(changes) !== text(histories.get(taskId) ?? [])) found.push("a history is not that of the sequence");
    const task = stored.tasks.get(taskId);
    const state = states.get(taskId);
    const then = past(taskId, changes);
    if (
      task?.json !== (state && taskText(state.task)) ||
      task?.deleted !== state?.deleted ||
      task?.undoable !== state?.undoable
    )
      found.push("a task is not that of the sequence");
    if (task?.json !== (then && taskText(then.task))) found.push("a task is not what its history tells");
  }
  for (const delivery of log.flat()) {
    const said = announced.filter((each) => each.delivery === delivery).map(({ outcome }) => outcome);
    const expected = outcomes.get(delivery);
    if (said.length === 0) found.push("a command was never announced");
    if (said.some((outcome) => !Bun.deepEquals(outcome, expected)))
      found.push(`an outcome is ${said.map((outcome) => text(outcome)).join(" and ")}, not ${text(expected)}`);
    const record = stored.operations.get(delivery.command.operationId);
    if (record === undefined) found.push("an operation has no record");
    else if (record.offset === delivery.position.offset && record.partition === delivery.position.partition)
      if (record.code !== (expected?.code ?? null) || record.version !== (expected?.version ?? null))
        found.push(`a record tells ${text(record)}, and the sequence ${text(expected)}`);
  }
  return found;
}

/** The first seed that fails, and what it broke. */
async function failing(seeds: number, broken?: Broken): Promise<[seed: number, faults: string[]] | undefined> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    const faults = await play(seed, broken);
    if (faults.length > 0) return [seed, faults];
  }
  return undefined;
}

test("in thousands of schedules each operation takes effect once, in one order, and is told the same each time", async () => {
  expect(await failing(schedules(500))).toBeUndefined();
}, 120_000);

describe("the simulation notices", () => {
  const mutants: Record<string, Broken> = {
    "tasks written before the records": {
      store: (store) => ({
        ...store,
        write: async (batch) => {
          await store.write({ operations: [], changes: [], tasks: batch.tasks, erasures: [] });
          return store.write(batch);
        },
      }),
    },
    "tasks written over newer ones": { without: "task guard" },
    "a record taken as proof that its task was written": {
      store: (store) => ({
        ...store,
        load: async (commands) => {
          const { tasks, operations, ...more } = await store.load(commands);
          const proven = [...operations].map(
            ([id, each]) => [id, { ...each, position: { ...each.position, offset: -1 } }] as const,
          );
          return { tasks, operations: new Map(proven), ...more };
        },
      }),
    },
    "no look at the position up to which a task is taken": {
      store: (store) => ({
        ...store,
        load: async (commands) => {
          const { tasks, operations, ...more } = await store.load(commands);
          return {
            tasks: new Map([...tasks].map(([id, each]) => [id, { ...each, takenAt: -1 }])),
            operations,
            ...more,
          };
        },
      }),
    },
    "records of another task passed over": {
      store: (store) => ({
        ...store,
        write: async (batch) => {
          const written = await store.write(batch);
          return written === "again" ? store.write({ ...batch, operations: [] }) : written;
        },
      }),
    },
    "commits before the write": { commitFirst: true },
  };
  for (const [what, broken] of Object.entries(mutants))
    test(what, async () => {
      expect(await failing(2_000, broken)).toBeDefined();
    });
});
