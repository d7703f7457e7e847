/** The read model in MongoDB. A task is one round trip, a list one for each stretch of its order that it takes: one to three. */
import { BSONRegExp, type Filter } from "mongodb";
import { Problem } from "../model/problem.ts";
import { priorities } from "../model/task.ts";
import { changeIn, type ReadModel, type TaskDocument } from "../mongo/read-model.ts";
import { withDeadline } from "../waiting.ts";
import type { ListQuery } from "./list-query.ts";
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

export function mongoReads({ tasks, operations }: ReadModel): MongoReads {
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
      const filter = filterOf(query);
      // By id: a task that is moved between two stretches while they are read is listed once.
      const found = new Map<string, Listed>();
      for (const { place, order } of stretches(query)) {
        if (found.size >= limit) break;
        const rows = await tasks
          .find(narrowed(filter, place))
          .project<Pick<TaskDocument, "_id" | "json"> & Record<string, string | number | null>>({
            json: 1,
            [query.sort]: 1,
          })
          .sort(order)
          .limit(limit - found.size)
          .toArray();
        for (const row of rows)
          if (!found.has(row._id))
            found.set(row._id, { json: row.json, end: { key: row[query.sort] ?? null, id: row._id } });
      }
      return [...found.values()];
    }),

    history: guarded(async (taskId, before, limit) => {
      const cursor = operations
        .find({ task: taskId, "change.version": { $gte: 1, $lt: before } })
        .sort({ "change.version": -1 });
      const found = await (Number.isSafeInteger(limit) && limit < 0x7fffffff ? cursor.limit(limit) : cursor).toArray();
      return found.flatMap(changeIn);
    }),

    operation: guarded(async (id) => {
      const found = await operations.findOne({ _id: id });
      if (found === null) return undefined;
      const { user, task, code, version } = found;
      return { userId: user, taskId: task, verdict: code === null ? "applied" : "rejected", code, version };
    }),
  };
}

/** What is asked of each field, as operators or as the value itself. */
type Fields = { readonly [field: string]: unknown };
type Operators = { readonly [operator: string]: unknown };
type Stretch = { readonly place: Fields; readonly order: Record<string, 1 | -1> };

/**
 * The parts of the order in which a page lies, each of which is one stretch of the sort's index: behind a key come those of the same key and then
 * the others, and with `dueAt` at last those without, whichever the direction.
 */
function stretches({ sort, descending, after }: ListQuery): Stretch[] {
  const direction = descending ? -1 : 1;
  const beyond = descending ? "$lt" : "$gt";
  const byKey = { [sort]: direction, _id: direction } as const;
  const byId = { _id: direction } as const;
  const isLast = sort === "dueAt";
  const last: Stretch[] = isLast ? [{ place: { dueAt: null }, order: byId }] : [];
  if (after === undefined) return [{ place: isLast ? { dueAt: { $ne: null } } : {}, order: byKey }, ...last];
  const { key, id } = after;
  const same = { place: { [sort]: key, _id: { [beyond]: id } }, order: byId };
  return key === null ? [same] : [same, { place: { [sort]: { [beyond]: key } }, order: byKey }, ...last];
}

/**
 * Both, field by field. Neither `$and` nor `$or`: what stands beside the fields is not looked up in an index by every server, and not walked in the
 * order of one.
 */
function narrowed(filter: Fields, place: Fields): Filter<TaskDocument> {
  const fields: Record<string, unknown> = { ...filter };
  for (const [field, asked] of Object.entries(place))
    fields[field] = field in filter ? tighter(operators(filter[field]), operators(asked)) : asked;
  return fields;
}

function operators(asked: unknown): Operators {
  return typeof asked === "object" && asked !== null ? (asked as Operators) : { $eq: asked };
}

/** One of two equal operators: the higher `$gt`, the lower `$lt`. There are no other bounds, and no value is asked for twice. */
function tighter(one: Operators, other: Operators): Operators {
  const both: Record<string, unknown> = { ...one, ...other };
  if ("$gt" in one && "$gt" in other) both.$gt = Math.max(Number(one.$gt), Number(other.$gt));
  if ("$lt" in one && "$lt" in other) both.$lt = Math.min(Number(one.$lt), Number(other.$lt));
  return both;
}

function filterOf(query: ListQuery): Fields {
  const { dueBeforeMs, dueAfterMs, updatedAfterMs } = query;
  const filter: Record<string, unknown> = { owner: query.ownerId, deleted: query.deleted };
  if (query.statuses.length > 0) filter.status = { $in: [...query.statuses] };
  if (query.priority !== undefined) filter.priority = { $in: [priorities.indexOf(query.priority)] };
  if (query.labels.length > 0) filter.labels = { $all: [...query.labels] };
  if (dueBeforeMs !== undefined || dueAfterMs !== undefined)
    filter.dueAt = {
      ...(dueBeforeMs === undefined ? {} : { $lt: dueBeforeMs }),
      ...(dueAfterMs === undefined ? {} : { $gt: dueAfterMs }),
    };
  if (updatedAfterMs !== undefined) filter.updatedAt = { $gt: updatedAfterMs };
  // A prefix is a stretch of the index of words.
  if (query.words.length > 0)
    filter.words = { $all: query.words.map((word) => new BSONRegExp(`^${word.replaceAll(letters, "\\$&")}`)) };
  return filter;
}

function guarded<Arguments extends unknown[], Result>(
  read: (...given: Arguments) => Promise<Result>,
): (...given: Arguments) => Promise<Result> {
  return async (...given) => {
    try {
      return await withDeadline(read(...given), readMs);
    } catch (cause) {
      throw new Problem("read-model-unavailable", undefined, { cause });
    }
  };
}
