/** The read model in MongoDB. A task is one round trip, a list one or two. */
import type { Filter } from "mongodb";
import type { Change, Entry } from "../model/past.ts";
import { Problem } from "../model/problem.ts";
import { priorities } from "../model/task.ts";
import type { ReadModel, TaskDocument } from "../mongo/read-model.ts";
import { withDeadline } from "../waiting.ts";
import type { ListQuery, PageEnd } from "./list-query.ts";
import type { Listed, Reads } from "./ports.ts";

/** A task has no more labels than this. */
const labelsMax = 20;
/** Whoever reads waits for no longer. */
const readMs = 2_500;
const letters = /[\\^$.*+?()[\]{}|]/g;

/** Promises, all of them. */
export type MongoReads = {
  [M in keyof Reads]: (...given: Parameters<Reads[M]>) => Promise<Awaited<ReturnType<Reads[M]>>>;
};

export function mongoReads({ tasks, history, operations }: ReadModel): MongoReads {
  return {
    task: guarded(async (id) => {
      const found = await tasks.findOne({ _id: id }, { projection: { owner: 1, version: 1, deleted: 1, json: 1 } });
      if (found === null) return undefined;
      const { owner, version, deleted, json } = found;
      return { ownerId: owner, version, deleted, json };
    }),

    list: guarded(async (query) => {
      if (query.labels.length > labelsMax) return [];
      const limit = query.limit + 1;
      const found: Listed[] = [];
      for (const stretch of stretches(query)) {
        if (found.length >= limit) break;
        const rows = await tasks
          .find(both(filterOf(query), stretch.place))
          .project<Pick<TaskDocument, "_id" | "json"> & Record<string, string | number | null>>({
            json: 1,
            [query.sort]: 1,
          })
          .sort(stretch.order)
          .limit(limit - found.length)
          .toArray();
        for (const row of rows) found.push({ json: row.json, end: { key: row[query.sort] ?? null, id: row._id } });
      }
      return found;
    }),

    history: guarded(async (taskId, before, limit) => {
      const cursor = history.find({ task: taskId, version: { $lt: before } }).sort({ version: -1 });
      const found = await (Number.isSafeInteger(limit) && limit < 0x7fffffff ? cursor.limit(limit) : cursor).toArray();
      return found.map(
        ({ entry, deleted, undoBefore }): Change => ({ entry: JSON.parse(entry) as Entry, deleted, undoBefore }),
      );
    }),

    operation: guarded(async (id) => {
      const found = await operations.findOne({ _id: id });
      if (found === null) return undefined;
      const { user, task, code, version } = found;
      return { userId: user, taskId: task, verdict: code === null ? "applied" : "rejected", code, version };
    }),
  };
}

type Stretch = { readonly place: Filter<TaskDocument>; readonly order: Record<string, 1 | -1> };

/** The parts of the order in which a page lies: one, or with `dueAt` two, because tasks without it come last whichever the direction. */
function stretches({ sort, descending, after }: ListQuery): Stretch[] {
  const direction = descending ? -1 : 1;
  const beyond = descending ? "$lt" : "$gt";
  const isLast = sort === "dueAt";
  const found: Stretch[] = [];
  if (after === undefined || after.key !== null) {
    const keyed: Filter<TaskDocument> = isLast ? { dueAt: { $ne: null } } : {};
    // What is behind a key has one.
    const place = after === undefined ? keyed : behind(sort, beyond, after);
    found.push({ place, order: { [sort]: direction, _id: direction } });
  }
  if (isLast)
    found.push({
      place: { dueAt: null, ...(after?.key === null ? { _id: { [beyond]: after.id } } : {}) },
      order: { _id: direction },
    });
  return found;
}

/** The first condition says no more than the other: it is what bounds the walk through the sort's index. */
function behind(sort: string, beyond: "$lt" | "$gt", { key, id }: PageEnd): Filter<TaskDocument> {
  return {
    [sort]: { [`${beyond}e`]: key },
    $or: [{ [sort]: { [beyond]: key } }, { [sort]: key, _id: { [beyond]: id } }],
  };
}

/** As fields side by side where they allow it: that is found by the index in every server. */
function both(filter: Filter<TaskDocument>, place: Filter<TaskDocument>): Filter<TaskDocument> {
  return Object.keys(place).some((name) => name in filter) ? { $and: [filter, place] } : { ...filter, ...place };
}

function filterOf(query: ListQuery): Filter<TaskDocument> {
  const { dueBeforeMs, dueAfterMs, updatedAfterMs } = query;
  const due = {
    ...(dueBeforeMs === undefined ? {} : { $lt: dueBeforeMs }),
    ...(dueAfterMs === undefined ? {} : { $gt: dueAfterMs }),
  };
  const filter: Filter<TaskDocument> = { owner: query.ownerId, deleted: query.deleted };
  if (query.statuses.length > 0) filter.status = { $in: [...query.statuses] };
  if (query.priority !== undefined) filter.priority = priorities.indexOf(query.priority);
  if (query.labels.length > 0) filter.labels = { $all: [...query.labels] };
  if (Object.keys(due).length > 0) filter.dueAt = due;
  if (updatedAfterMs !== undefined) filter.updatedAt = { $gt: updatedAfterMs };
  // A prefix is a stretch of the index of words.
  if (query.words.length > 0)
    filter.$and = query.words.map((word) => ({ words: { $regex: `^${word.replaceAll(letters, "\\$&")}` } }));
  return filter;
}

function guarded<Arguments extends unknown[], Result>(
  read: (...given: Arguments) => Promise<Result>,
): (...given: Arguments) => Promise<Result> {
  return async (...given) => {
    try {
      return await withDeadline(read(...given), readMs, () => new Error("late"));
    } catch (cause) {
      throw new Problem("read-model-unavailable", undefined, { cause });
    }
  };
}
