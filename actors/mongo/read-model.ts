/** The read model in MongoDB: its collections and indexes, the port between the writer and those who read. */
import type { Collection, CollectionOptions, Db, IndexDescription } from "mongodb";
import type { Change, Entry } from "../model/past.ts";
import type { Status } from "../model/task.ts";
import { ensureIndexesOf } from "./indexes.ts";

/** A task. Instants are epoch milliseconds, positions offsets in the partition of the task's id. */
export type TaskDocument = {
  _id: string;
  owner: string;
  deleted: boolean;
  version: number;
  bornAt: number;
  takenAt: number;
  undoable: number;
  status: Status;
  /** Its rank. */
  priority: number;
  createdAt: number;
  updatedAt: number;
  dueAt: number | null;
  /** In its search form (model/words.ts), by which it is sorted. */
  title: string;
  words: string[];
  labels: string[];
  /** As it is served. */
  json: string;
};

/** What an operation changed: `version` is the one it made, `entry` the JSON text that clients see. */
export type ChangeDocument = { version: number; deleted: boolean; undoBefore: number; entry: string };

/** What became of an operation, with its change where it made one: those of a task are its history. One without either a change or a key has an end. */
export type OperationDocument = {
  _id: string;
  task: string;
  user: string;
  fingerprint: string;
  partition: number;
  offset: number;
  code: string | null;
  version: number | null;
  change?: ChangeDocument;
  expireAt?: Date;
};

/** That a user was erased in a partition, at an offset. `_id` is the user's id and the partition, with a space between them. */
export type ErasedDocument = { _id: string; offset: number };

export type ReadModel = {
  readonly tasks: Collection<TaskDocument>;
  readonly operations: Collection<OperationDocument>;
  readonly erased: Collection<ErasedDocument>;
};

export const collections = ["operations", "tasks", "erased"] as const satisfies readonly (keyof ReadModel)[];

/** `suffix`: after the names, for one that is not in its place yet. */
export function readModelIn(
  db: Db,
  { suffix = "", ...options }: CollectionOptions & { suffix?: string } = {},
): ReadModel {
  return {
    tasks: db.collection(`tasks${suffix}`, options),
    operations: db.collection(`operations${suffix}`, options),
    erased: db.collection(`erased${suffix}`, options),
  };
}

/** None where the operation changed nothing. */
export function changeIn({ change }: OperationDocument): Change[] {
  if (change === undefined) return [];
  const { entry, deleted, undoBefore } = change;
  return [{ entry: JSON.parse(entry) as Entry, deleted, undoBefore }];
}

export const sortKeys = ["createdAt", "updatedAt", "dueAt", "priority", "title"] as const;

const indexes: Record<Exclude<keyof ReadModel, "erased">, IndexDescription[]> = {
  tasks: [
    ...sortKeys.map((key) => ({ key: { owner: 1, deleted: 1, [key]: 1, _id: 1 } })),
    { key: { owner: 1, words: 1 } },
    { key: { owner: 1, labels: 1 } },
  ],
  operations: [
    { key: { task: 1, "change.version": 1 }, unique: true, partialFilterExpression: { "change.version": { $gt: 0 } } },
    { key: { expireAt: 1 }, expireAfterSeconds: 0, sparse: true },
  ],
};

/** Makes the indexes that are missing; several writers may start at once. Throws an `IndexError` where something is in the way. */
export async function ensureIndexes(model: ReadModel): Promise<void> {
  await Promise.all([
    ensureIndexesOf(model.tasks, indexes.tasks),
    ensureIndexesOf(model.operations, indexes.operations),
  ]);
}
