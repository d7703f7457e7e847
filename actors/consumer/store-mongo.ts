/**
 * The store in MongoDB. Records of operations are written before changes, and tasks after both, each guarded, so that a crash between any two,
 * a batch that comes again and a writer that does not know it has been replaced all end in the same documents.
 */
import type { AnyBulkWriteOperation } from "mongodb";
import { MongoBulkWriteError } from "mongodb";
import { partitionOf } from "../../runtime/partition.ts";
import type { Change, Entry } from "../model/past.ts";
import { priorities, type Task } from "../model/task.ts";
import { fold, words } from "../model/words.ts";
import type { HistoryDocument, OperationDocument, ReadModel, TaskDocument } from "../mongo/read-model.ts";
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

/** How long the record of an operation without a key is kept. */
const unkeyedKeptMs = 86_400_000;
const duplicateKey = 11_000;
const erasedAtOnce = 500;

/** `partitions` of the log: an erasure in one of them is of that one's tasks only. */
export function mongoStore(
  { tasks, history, operations, erased }: ReadModel,
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
      const found = await history
        .find({ task: task.id, version: { $gte: from, $lte: to } })
        .sort({ version: 1 })
        .toArray();
      return found.map(change);
    },

    async write(batch) {
      if (!(await recorded(batch.operations))) return "again";
      await chronicled(batch.changes);
      await updated(batch.tasks);
      for (const erasure of batch.erasures) await erase(erasure);
      return "written";
    },
  };

  /**
   * Whether each record is in place and belongs to this very command. They are written one after the other up to the first that is known: what was
   * decided behind an operation that turns out to be a repeat must not be on record, not even for a moment (a writer may end in that moment).
   */
  async function recorded(taken: readonly Taken[]): Promise<boolean> {
    for (let rest = taken.map((each) => record(each, now())); rest.length > 0; ) {
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
      await history.deleteMany({ task: { $in: some } });
      await tasks.deleteMany({ _id: { $in: some } });
    }
  }

  async function chronicled(changes: Batch["changes"]): Promise<void> {
    if (changes.length === 0) return;
    const documents = changes.map(({ task, change: { entry, deleted, undoBefore } }) => ({
      _id: entry.operationId,
      task: task.task.id,
      version: entry.version,
      deleted,
      undoBefore,
      entry: JSON.stringify(entry),
    }));
    const known = await duplicates(() => history.insertMany(documents, { ordered: false }));
    if (known.length === 0) return;
    const expected = known.flatMap((index) => documents[index] ?? []);
    const found = await history.find({ _id: { $in: expected.map(({ _id }) => _id) } }).toArray();
    const versions = new Map(found.map(({ _id, version }) => [_id, version]));
    // Somebody else has made this version: what was decided here came from a state that is past.
    if (expected.some(({ _id, version }) => versions.get(_id) !== version))
      throw new Error("Cannot write a batch: its tasks have been changed by another writer");
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

/** Runs a bulk write; the places of what exists already. Any other failure is thrown. */
async function duplicates(write: () => Promise<unknown>): Promise<number[]> {
  try {
    await write();
    return [];
  } catch (error) {
    if (!(error instanceof MongoBulkWriteError)) throw error;
    const faults = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
    if (faults.length === 0 || faults.some(({ code }) => code !== duplicateKey)) throw error;
    // A majority that did not confirm the rest in time is a failure too.
    if (error.result.getWriteConcernError() !== undefined) throw error;
    return faults.map(({ index }) => index);
  }
}

function record({ command, fingerprint, taskId, position, code, version }: Taken, nowMs: number): OperationDocument {
  return {
    _id: command.operationId,
    task: taskId,
    user: command.userId,
    fingerprint,
    partition: position.partition,
    offset: position.offset,
    code: code ?? null,
    version: version ?? null,
    ...(command.keyed ? {} : { expireAt: new Date(nowMs + unkeyedKeptMs) }),
  };
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

function change({ entry, deleted, undoBefore }: HistoryDocument): Change {
  return { entry: JSON.parse(entry) as Entry, deleted, undoBefore };
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
