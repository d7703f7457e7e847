/** The port `Store` over each adapter: what a writer may rely on, whatever comes twice, late or at the same time. */
import { afterAll, describe, expect, test } from "bun:test";
import { apply, type Batch, type Store, type Stored } from "../../actors/consumer/apply.ts";
import { command, userA, userB } from "../../actors/consumer/commands-for-tests.ts";
import type { Command, Outcome } from "../../actors/model/command.ts";
import { erasure } from "../../actors/model/erasure.ts";
import { past } from "../../actors/model/past.ts";
import { statuses, type Task } from "../../actors/model/task.ts";
import { type Random, random } from "../system/random.ts";
import { describeWith, service } from "../system/services.ts";
import { type Adapter, deliveries, type Fresh, inMongo, storedAtMs, taken } from "./read-models.ts";

const server = await service("MONGO_URL");

/** A life of three commands. */
function life(title = "one"): [Command, Command, Command] {
  const create = command({ kind: "create", keyed: true, body: { title } });
  const { taskId } = create;
  const patch = command({ kind: "patch", keyed: true, taskId, body: { title: `${title} again` } });
  return [create, patch, command({ kind: "delete", keyed: true, taskId })];
}

/** Commands of every kind on few tasks, refused ones and repeats among them. */
function manyCommands(choose: Random, count: number): Command[] {
  const tasks = Array.from({ length: 12 }, () => crypto.randomUUID());
  const commands: Command[] = [];
  while (commands.length < count) {
    if (commands.length > 0 && choose.chance(0.1)) {
      commands.push(choose.pick(commands));
      continue;
    }
    const kind = choose.pick(["create", "create", "patch", "patch", "replace", "delete", "restore", "undo"] as const);
    const text = choose.pick(["Buy milk", "Çay", "😀", "İstanbul", "a.*b", "ﬁ x²"]);
    const body: Command["body"] = {
      title: text,
      status: choose.pick(statuses),
      labels: choose.some(["a", "B", "ç"], 0.5),
    };
    commands.push(
      command({
        kind,
        taskId: choose.pick(tasks),
        keyed: choose.chance(0.5),
        userId: choose.chance(0.9) ? userA : userB,
        at: new Date(Date.UTC(2026, 0, 1, 0, 0, choose.int(60))).toISOString(),
        body: kind === "create" || kind === "patch" || kind === "replace" ? body : {},
        ...(choose.chance(0.2) ? { expected: [1 + choose.int(4)] } : {}),
      }),
    );
  }
  return commands;
}

async function taskOf(store: Store, taskId: string): Promise<Stored | undefined> {
  return (await store.load([command({ kind: "undo", taskId })])).tasks.get(taskId);
}

/** All that a store tells of these commands' tasks. */
async function told(store: Store, commands: readonly Command[]) {
  const { tasks, operations } = await store.load(commands);
  const histories = new Map<string, unknown>();
  for (const [id, task] of tasks) histories.set(id, await store.changes(task, 1, task.task.version));
  const sorted = <V>(of: Map<string, V>) => [...of].sort(([a], [b]) => (a < b ? -1 : 1));
  return { tasks: sorted(tasks), operations: sorted(operations), histories: sorted(histories) };
}

function cases(adapter: Adapter, open: () => Promise<Fresh>): void {
  test("what is written is loaded again as it was, and what does not exist is left out", async () => {
    const { store } = await open();
    const [create, patch] = life();
    const [, outcome] = await taken(store, [create, patch]);
    const loaded = await store.load([create, patch, create, command({ kind: "create" })]);
    expect([...loaded.tasks.keys()]).toEqual([create.taskId]);
    expect(loaded.tasks.get(create.taskId)).toEqual({
      task: JSON.parse(outcome?.task ?? "") as Task,
      text: outcome?.task ?? "",
      deleted: false,
      undoable: 2,
      bornAt: 1,
      takenAt: 2,
    });
    expect([...loaded.operations.keys()].sort()).toEqual([create.operationId, patch.operationId].sort());
    expect(loaded.operations.get(patch.operationId)).toEqual({
      operationId: patch.operationId,
      fingerprint: patch.fingerprint,
      taskId: create.taskId,
      position: { partition: 0, offset: 2 },
      code: undefined,
      version: 2,
    });
    expect(await store.load([])).toEqual({ tasks: new Map(), operations: new Map(), erased: new Map() });
  });

  test("changes come in the order of versions, both ends inclusive", async () => {
    const { store } = await open();
    const [create, patch, remove] = life();
    await taken(store, [create, patch, remove]);
    const task = await taskOf(store, create.taskId);
    if (task === undefined) throw new Error("not stored");
    const versions = async (from: number, to: number) =>
      (await store.changes(task, from, to)).map(({ entry, deleted, undoBefore }) => [
        entry.version,
        entry.kind,
        deleted,
        undoBefore,
      ]);
    expect(await versions(1, 3)).toEqual([
      [1, "created", false, 0],
      [2, "changed", false, 0],
      [3, "deleted", true, 2],
    ]);
    expect(await versions(2, 2)).toEqual([[2, "changed", false, 0]]);
    expect(await versions(4, 9)).toEqual([]);
  });

  test("a batch that comes again, whole or behind a part of it, changes nothing and gets the same outcomes", async () => {
    const { store, another } = await open();
    const commands = [...life("a"), ...life("b")];
    const first = await apply(store, deliveries(commands.slice(0, 4), 1));
    const whole = await apply(store, deliveries(commands, 1));
    expect(whole.slice(0, 4)).toEqual(first);
    const before = await told(store, commands);
    expect(await apply(another(), deliveries(commands, 1))).toEqual(whole);
    expect(await apply(store, deliveries(commands.slice(2), 3))).toEqual(whole.slice(2));
    expect(await told(store, commands)).toEqual(before);
  });

  test("an operation's first outcome is on record whatever happens later, refusals included", async () => {
    const { store } = await open();
    const [create, patch, remove] = life();
    const refused = command({ kind: "restore", taskId: create.taskId, keyed: true });
    const outcomes = await taken(store, [create, refused, patch, remove]);
    expect(outcomes[1]).toMatchObject({ verdict: "rejected", code: "conflict" });
    const again = await taken(store, [create, refused, patch, remove], { from: 5 });
    expect(again).toEqual(outcomes.map((each) => ({ ...(each as Outcome), verdict: "replayed" as const })));
    const other = await taken(store, [{ ...patch, fingerprint: "another" }], { from: 9 });
    expect(other).toMatchObject([{ verdict: "rejected", code: "idempotency-mismatch", position: { offset: 3 } }]);
  });

  test("an operation of one task is a mismatch on another, and the other is not touched", async () => {
    const { store } = await open();
    const [create, patch] = life("a");
    const [second] = life("b");
    await taken(store, [create, patch, second]);
    const stolen = { ...patch, taskId: second.taskId };
    expect(await taken(store, [stolen], { from: 4 })).toMatchObject([
      { verdict: "rejected", code: "idempotency-mismatch", taskId: second.taskId, position: { offset: 2 } },
    ]);
    expect(await taskOf(store, second.taskId)).toMatchObject({ takenAt: 3, task: { version: 1 } });
  });

  test("a thousand versions are kept, each read back, undone and replayed", async () => {
    const { store } = await open();
    const create = command({ kind: "create", keyed: true, body: { title: "0" } });
    const patches = Array.from({ length: 999 }, (_, index) =>
      command({ kind: "patch", taskId: create.taskId, keyed: true, body: { title: String(index + 1) } }),
    );
    const outcomes = await taken(store, [create, ...patches], { batch: 250 });
    const task = await taskOf(store, create.taskId);
    if (task === undefined) throw new Error("not stored");
    const changes = await store.changes(task, 1, 1_000);
    expect(changes.map(({ entry }) => entry.version)).toEqual(Array.from({ length: 1_000 }, (_, index) => index + 1));
    expect(past(create.taskId, changes.slice(0, 500))?.task.title).toBe("499");
    const undone = await taken(store, [command({ kind: "undo", taskId: create.taskId }), patches[499] as Command], {
      from: 1_001,
    });
    expect(undone[0]).toMatchObject({ verdict: "applied", version: 1_001 });
    expect((JSON.parse(undone[0]?.task ?? "") as Task).title).toBe("998");
    expect(undone[1]).toEqual({ ...(outcomes[500] as Outcome), verdict: "replayed" });
  }, 120_000);

  test("very large and very odd texts are kept as they are", async () => {
    const { store } = await open();
    const odd = "\u0001\u2028\ud83d\udc68\u200d\ud83d\udc69\u200d\ud83d\udc67 $where.x \\ \" ' \u202e\uffff";
    const create = command({
      kind: "create",
      body: {
        title: odd,
        description: "語".repeat(20_000),
        labels: Array.from({ length: 20 }, (_, n) => `${n} ${odd}`),
      },
    });
    const [outcome] = await taken(store, [create]);
    expect((await taskOf(store, create.taskId))?.text).toBe(outcome?.task ?? "");
    expect(JSON.parse(outcome?.task ?? "")).toMatchObject(create.body);
  });

  test("an erasure takes a user's tasks with their history and refuses what comes after it, and others' stay", async () => {
    const { store, reads } = await open();
    const [create, patch] = life("mine");
    const [other] = life("theirs");
    const theirs = { ...other, userId: userB };
    const end = erasure(userA, { partition: 0, partitions: 1 }, "2026-02-01T00:00:00.000Z");
    const [late] = life("late");
    const again = { ...create, operationId: crypto.randomUUID() };
    const before = await taken(store, [create, theirs]);
    const commands = deliveries([patch, end, late, again], 3);
    const outcomes = await apply(store, commands);
    expect(outcomes.map((each) => each?.code ?? each?.verdict)).toEqual([
      "applied",
      "applied",
      "not-found",
      "not-found",
    ]);
    expect(await taskOf(store, create.taskId)).toBeUndefined();
    expect(await taskOf(store, late.taskId)).toBeUndefined();
    expect((await taskOf(store, theirs.taskId))?.text).toBe(before[1]?.task ?? "");
    expect(await reads.task(create.taskId)).toBeUndefined();
    expect(await reads.history(create.taskId, 9, 9)).toEqual([]);
    expect(await reads.history(theirs.taskId, 9, 9)).toHaveLength(1);
    expect(await apply(store, deliveries([end], 7))).toMatchObject([{ verdict: "replayed" }]);
  });

  test(`random commands are decided alike one by one and all at once`, async () => {
    const { store } = await open();
    const commands = manyCommands(random(7), 200);
    const oneByOne = await taken(store, commands, { batch: 1 });
    const fresh = await adapter.fresh();
    try {
      expect(await taken(fresh.store, commands, { batch: 200 })).toEqual(oneByOne);
      expect(await told(fresh.store, commands)).toEqual(await told(store, commands));
    } finally {
      await fresh.remove();
    }
  });
}

/** What only a store without transactions and with several writers can meet. */
const reasonOfDifference = "SQLite has one writer and one transaction per batch";

function withoutTransactions(open: () => Promise<Fresh>): void {
  const written = async (store: Store, commands: readonly Command[], from = 1): Promise<Batch> => {
    let batch: Batch | undefined;
    const keeping: Store = {
      load: (of) => store.load(of),
      changes: (task, first, last) => store.changes(task, first, last),
      write(given) {
        batch = given;
        return "written";
      },
    };
    await apply(keeping, deliveries(commands, from));
    if (batch === undefined) throw new Error("nothing to write");
    return batch;
  };

  test("a batch cut off between any two of its documents is made whole when it comes again, refusals too", async () => {
    const { store, another } = await open();
    const [create, patch, remove] = life("a");
    const [second] = life("b");
    const commands = [create, command({ kind: "undo", taskId: create.taskId }), patch, second, remove];
    const batch = await written(store, commands);
    const cuts: Batch[] = [
      { ...batch, operations: batch.operations.slice(0, 1), tasks: [] },
      { ...batch, operations: batch.operations.slice(0, 3), tasks: [] },
      { ...batch, tasks: [] },
      { ...batch, tasks: batch.tasks.slice(1) },
    ];
    for (const cut of cuts) {
      expect(await store.write(cut)).toBe("written");
      expect(await taskOf(store, create.taskId)).toBeUndefined();
    }
    const outcomes = await apply(another(), deliveries(commands, 1));
    expect(outcomes.map((each) => each?.verdict)).toEqual(["applied", "rejected", "applied", "applied", "applied"]);
    expect(await apply(store, deliveries(commands, 1))).toEqual(outcomes);
    expect(await taskOf(store, create.taskId)).toMatchObject({ deleted: true, task: { version: 3 }, takenAt: 5 });
  });

  test("an erasure that comes again, to another writer too, changes nothing and gets the same outcomes", async () => {
    const { store, another } = await open();
    const [create] = life("mine");
    const end = erasure(userA, { partition: 0, partitions: 1 }, "2026-02-01T00:00:00.000Z");
    const [late] = life("late");
    const commands = deliveries([create, end, late], 1);
    const outcomes = await apply(store, commands);
    for (const writer of [store, another()]) {
      expect((await apply(writer, commands)).slice(1)).toEqual(outcomes.slice(1));
      for (const { taskId } of [create, late]) expect(await taskOf(writer, taskId)).toBeUndefined();
    }
  });

  test("a writer that was replaced writes its old batch once more and changes nothing", async () => {
    const { store, another, model } = await open();
    const [create, patch, remove] = life();
    const old = await written(store, [create, patch]);
    await taken(store, [create, patch, remove]);
    const before = [
      await told(store, [create, patch, remove]),
      await model?.tasks.find().toArray(),
      await model?.operations.find().sort({ _id: 1 }).toArray(),
    ];
    expect(await another().write(old)).toBe("written");
    expect(await another().write(old)).toBe("written");
    expect([
      await told(store, [create, patch, remove]),
      await model?.tasks.find().toArray(),
      await model?.operations.find().sort({ _id: 1 }).toArray(),
    ]).toEqual(before);
  });

  test("a key that another partition has used meanwhile makes the batch be decided again, with nothing left of the first decision", async () => {
    const { store, another, model } = await open();
    const [create, patch] = life("mine");
    const [other] = life("theirs");
    const theirs = { ...other, operationId: create.operationId };
    // Decided before the other partition's record is there, written after it.
    const mine = await written(store, [create, patch]);
    await apply(another(), deliveries([theirs], 40, 1));
    expect(await store.write(mine)).toBe("again");
    expect(await model?.operations.findOne({ _id: patch.operationId })).toBeNull();
    expect(await model?.operations.countDocuments({ task: create.taskId })).toBe(0);
    const outcomes = await apply(store, deliveries([create, patch], 1));
    expect(outcomes).toMatchObject([
      { verdict: "rejected", code: "idempotency-mismatch", position: { partition: 1, offset: 40 } },
      { verdict: "rejected", code: "not-found" },
    ]);
  });

  test("one key used on two partitions at the very same time is taken by one of them", async () => {
    const { store, another, model } = await open();
    for (let round = 0; round < 20; round += 1) {
      const pair = [life("x")[0], life("y")[0]] as const;
      const operationId = crypto.randomUUID();
      const both = pair.map((create) => ({ ...create, operationId }));
      const outcomes = await Promise.all(
        [store, another()].map((each, partition) =>
          apply(each, deliveries([both[partition] as Command], round, partition)),
        ),
      );
      const verdicts = outcomes.flat().map((each) => each?.code ?? each?.verdict);
      expect(verdicts.sort()).toEqual(["applied", "idempotency-mismatch"]);
      expect(await model?.tasks.countDocuments({ _id: { $in: pair.map(({ taskId }) => taskId) } })).toBe(1);
    }
  });

  test("a version that another writer has made meanwhile is not made again, nor is anything behind it written", async () => {
    const { store, another, model } = await open();
    const [create, patch] = life();
    await taken(store, [create]);
    const [mine, behind] = [patch, command({ kind: "patch", taskId: create.taskId, body: { title: "behind" } })];
    const late = await written(store, [mine, behind], 5);
    await apply(another(), deliveries([command({ kind: "patch", taskId: create.taskId, body: { title: "now" } })], 4));
    expect(store.write(late)).rejects.toThrow("changed by another writer");
    expect(
      await model?.operations.countDocuments({ _id: { $in: [mine, behind].map((each) => each.operationId) } }),
    ).toBe(0);
    expect(await taskOf(store, create.taskId)).toMatchObject({ task: { version: 2, title: "now" } });
  });

  test("records of operations end after a day that have no key and changed nothing, all others never", async () => {
    const { store, model } = await open();
    const [create] = life();
    const body = { title: "later" };
    const [unkeyed, same] = [0, 1].map(() => command({ kind: "patch", taskId: create.taskId, body })) as [
      Command,
      Command,
    ];
    await taken(store, [create, unkeyed, same]);
    const expireAt = new Date(storedAtMs + 86_400_000);
    expect(await model?.operations.findOne({ _id: same.operationId })).toMatchObject({ expireAt });
    for (const { operationId } of [create, unkeyed])
      expect(await model?.operations.findOne({ _id: operationId })).not.toHaveProperty("expireAt");
    const indexes = await model?.operations.indexes();
    expect(indexes?.find(({ key }) => key.expireAt === 1)).toMatchObject({ expireAfterSeconds: 0 });
    await model?.operations.deleteOne({ _id: same.operationId });
    expect(await apply(store, deliveries([same], 3))).toEqual([undefined]);
  });
}

function suite(adapter: Adapter): void {
  const opened: Fresh[] = [];
  const open = async (): Promise<Fresh> => {
    const fresh = await adapter.fresh();
    opened.push(fresh);
    return fresh;
  };
  afterAll(async () => {
    await Promise.all(opened.map((each) => each.remove()));
  });
  cases(adapter, open);
  if (adapter.name === "MongoDB") describe(`only here, since ${reasonOfDifference}`, () => withoutTransactions(open));
}

describeWith("the store in MongoDB", [server], ({ url }) => suite(inMongo(url)));
