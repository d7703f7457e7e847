/**
 * The store in MongoDB. Records of operations, each with its change, are written before tasks, each guarded, so that a crash between any two,
 * a batch that comes again and a writer that does not know it has been replaced all end in the same documents.
 */
import type { AnyBulkWriteOperation } from "mongodb";
import { partitionOf } from "../../runtime/partition.ts";
import type { Change } from "../model/past.ts";
import { priorities, type Task } from "../model/task.ts";
import { fold, words } from "../model/words.ts";
import { duplicates } from "../mongo/duplicates.ts";
import {
  type ChangeDocument,
  changeIn,
  type OperationDocument,
  type ReadModel,
  type TaskDocument,
} from "../mongo/read-model.ts";
import {
  type Batch,
  type Erasure,
  type Loaded,
  markOf,
  type Operation,
  type Store,
  type Stored,
  type Taken,
} from "./apply.ts";
import type { Refusal } from "./decide.ts";

/** How long the record of an operation is kept that has no key and changed nothing. */
const unkeyedKeptMs = 86_400_000;
const erasedAtOnce = 500;

/** `partitions` of the log: an erasure in one of them is of that one's tasks only. */
export function mongoStore(
  { tasks, operations, erased }: ReadModel,
  { partitions, now }: { partitions: number; now: () => number },
): Store {
  return {
    async load(commands) {
      const marks = commands.map(({ userId, taskId }) => markOf(userId, partitionOf(taskId, partitions)));
      const [foundMarks, foundTasks, foundOperations] = await Promise.all([
        erased.find({ _id: { $in: [...new Set(marks)] } }).toArray(),
        tasks
          .find(
            { _id: { $in: [...new Set(commands.map(({ taskId }) => taskId))] } },
            { projection: { json: 1, deleted: 1, undoable: 1, bornAt: 1, takenAt: 1 } },
          )
          .toArray(),
        operations.find({ _id: { $in: [...new Set(commands.map(({ operationId }) => operationId))] } }).toArray(),
      ]);
      const loaded: Loaded = { tasks: new Map(), operations: new Map(), erased: new Map() };
      for (const { _id, offset } of foundMarks) loaded.erased.set(_id, offset);
      for (const each of foundTasks) loaded.tasks.set(each._id, stored(each));
      for (const each of foundOperations) loaded.operations.set(each._id, operation(each));
      return loaded;
    },

    async changes({ task }, from, to) {
      const found = await operations
        .find({ task: task.id, "change.version": { $gte: from, $lte: to } })
        .sort({ "change.version": 1 })
        .toArray();
      return found.flatMap(changeIn);
    },

    async write(batch) {
      if (!(await recorded(batch))) return "again";
      await updated(batch.tasks);
      for (const erasure of batch.erasures) await erase(erasure);
      return "written";
    },
  };

  /**
   * Whether each record, with its change, is in place and belongs to this very command. They are written one after the other up to the first that is
   * known: what was decided behind an operation that turns out to be a repeat must not be on record, not even for a moment (a writer may end in that moment).
   */
  async function recorded({ operations: taken, changes }: Batch): Promise<boolean> {
    const made = new Map(changes.map(({ change }) => [change.entry.operationId, change]));
    for (let rest = taken.map((each) => record(each, made.get(each.operationId), now())); rest.length > 0; ) {
      const [first] = await duplicates(() => operations.insertMany(rest, { ordered: true }));
      if (first === undefined) return true;
      const left = rest.slice(first);
      const found = await operations.find({ _id: { $in: left.map(({ _id }) => _id) } }).toArray();
      const known = new Map(found.map((each) => [each._id, each]));
      const isOther = ({ _id, partition, offset }: OperationDocument): boolean => {
        const there = known.get(_id);
        return there !== undefined && (there.partition !== partition || there.offset !== offset);
      };
      if (left.some(isOther)) return false;
      // Somebody else has made this version, or another of this operation: what was decided here came from a state that is past.
      const isPast = ({ _id, change }: OperationDocument, index: number): boolean =>
        known.has(_id) ? known.get(_id)?.change?.version !== change?.version : index === 0;
      if (left.some(isPast)) throw new Error("Cannot write a batch: its tasks have been changed by another writer");
      // The others were written by a try that was cut off, or by a writer that decided the same.
      rest = left.filter(({ _id }) => !known.has(_id));
    }
    return true;
  }

  /** The mark first: from then on nothing of the user's comes anew. Cut off anywhere, the same batch comes again and goes on. */
  async function erase({ userId, position: { partition, offset } }: Erasure): Promise<void> {
    await erased.updateOne({ _id: markOf(userId, partition) }, { $min: { offset } }, { upsert: true });
    const owned = await tasks.find({ owner: userId }, { projection: { _id: 1 } }).toArray();
    const here = owned.map(({ _id }) => _id).filter((id) => partitionOf(id, partitions) === partition);
    for (let from = 0; from < here.length; from += erasedAtOnce) {
      const some = here.slice(from, from + erasedAtOnce);
      await operations.deleteMany({ task: { $in: some }, "change.version": { $gte: 1 } });
      await tasks.deleteMany({ _id: { $in: some } });
    }
  }

  async function updated(written: Batch["tasks"]): Promise<void> {
    if (written.length === 0) return;
    const steps = written.map(({ task, before }): AnyBulkWriteOperation<TaskDocument> => {
      const filter = { _id: task.task.id, takenAt: { $lt: task.takenAt } };
      if (before === undefined) return { insertOne: { document: document(task) } };
      if (before.task.version === task.task.version)
        return { updateOne: { filter, update: { $set: { takenAt: task.takenAt } } } };
      const { _id, ...fields } = document(task);
      return { updateOne: { filter, update: { $set: fields } } };
    });
    const known = await duplicates(() => tasks.bulkWrite(steps, { ordered: false }));
    if (known.length === 0) return;
    // Made by a try that was cut off (or by a writer that decided the same): only what is older is replaced.
    const again = known.flatMap((index): AnyBulkWriteOperation<TaskDocument>[] => {
      const task = written[index]?.task;
      if (task === undefined) return [];
      const filter = { _id: task.task.id, takenAt: { $lt: task.takenAt } };
      return [{ replaceOne: { filter, replacement: document(task) } }];
    });
    await tasks.bulkWrite(again, { ordered: false });
  }
}

function record(
  { command, fingerprint, taskId, position, code, version }: Taken,
  change: Change | undefined,
  nowMs: number,
): OperationDocument {
  return {
    _id: command.operationId,
    task: taskId,
    user: command.userId,
    fingerprint,
    partition: position.partition,
    offset: position.offset,
    code: code ?? null,
    version: version ?? null,
    ...(change === undefined ? {} : { change: changeDocument(change) }),
    ...(command.keyed || change !== undefined ? {} : { expireAt: new Date(nowMs + unkeyedKeptMs) }),
  };
}

function changeDocument({ entry, deleted, undoBefore }: Change): ChangeDocument {
  return { version: entry.version, deleted, undoBefore, entry: JSON.stringify(entry) };
}

export function operation({ _id, task, fingerprint, partition, offset, code, version }: OperationDocument): Operation {
  return {
    operationId: _id,
    fingerprint,
    taskId: task,
    position: { partition, offset },
    code: (code as Refusal | null) ?? undefined,
    version: version ?? undefined,
  };
}

function stored({
  json,
  deleted,
  undoable,
  bornAt,
  takenAt,
}: Pick<TaskDocument, "json" | "deleted" | "undoable" | "bornAt" | "takenAt">): Stored {
  return { task: JSON.parse(json) as Task, text: json, deleted, undoable, bornAt, takenAt };
}

function document({ task, text, deleted, undoable, bornAt, takenAt }: Stored): TaskDocument {
  return {
    _id: task.id,
    owner: task.ownerId,
    deleted,
    version: task.version,
    bornAt,
    takenAt,
    undoable,
    status: task.status,
    priority: priorities.indexOf(task.priority),
    createdAt: Date.parse(task.createdAt),
    updatedAt: Date.parse(task.updatedAt),
    dueAt: task.dueAt === null ? null : Date.parse(task.dueAt),
    title: fold(task.title),
    words: words(task.title, task.description),
    labels: task.labels,
    json: text,
  };
}
