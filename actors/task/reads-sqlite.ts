/** The read model in the writer's SQLite file, through a connection of our own that can only read: it sees every commit at once. */
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import type { Position } from "../model/command.ts";
import type { Change, Entry } from "../model/past.ts";
import { Problem } from "../model/problem.ts";
import { priorities, statuses } from "../model/task.ts";
import { matching } from "../model/terms.ts";
import { uuidBytes, uuidText } from "../model/uuid-bytes.ts";
import { naming } from "../sqlite-file.ts";
import type { ListQuery, SortField } from "./list-query.ts";
import type { Listed, Reads } from "./ports.ts";

const columns: Record<SortField, string> = {
  createdAt: "created_at",
  updatedAt: "updated_at",
  dueAt: "due_at",
  priority: "priority",
  title: "title",
};
const indexes: Record<SortField, string> = {
  createdAt: "tasks_by_created",
  updatedAt: "tasks_by_updated",
  dueAt: "tasks_by_due",
  priority: "tasks_by_priority",
  title: "tasks_by_title",
};

/** A filter that leaves fewer tasks than this is looked up first and its tasks sorted; without one the sort's index is walked until the page is full. */
const fewTasks = 500;
const statementsMax = 500;
const ownersMax = 10_000;

/** A task has no more labels than this. */
const labelsMax = 20;

type Condition = { readonly sql: string; readonly values: readonly SQLInputValue[] };
/** A condition whose tasks the index finds by itself. */
type Filter = Condition & { readonly index?: string };
type TaskRow = { owner: number; version: number; deleted: number; json: string };
type Row = { id: Uint8Array; key: string | number | null; json: string };

/** Values, not promises. */
export type SqliteReads = {
  [M in keyof Reads]: (...given: Parameters<Reads[M]>) => Exclude<ReturnType<Reads[M]>, Promise<unknown>>;
} & {
  /** The last position that is visible. */
  position(): Position;
  close(): void;
};

/** Opens `tasks.db` in the folder, which the writer has made before. `failed` is told why a read failed. */
export function sqliteReads(dataDir: string, failed?: (error: unknown) => void): SqliteReads {
  return naming(join(dataDir, "tasks.db"), () => readsOf(dataDir, failed));
}

function readsOf(dataDir: string, failed: ((error: unknown) => void) | undefined): SqliteReads {
  const guarded = guarding(failed);
  const db = new DatabaseSync(join(dataDir, "tasks.db"), { readOnly: true });
  db.exec("PRAGMA busy_timeout = 1000; PRAGMA cache_size = -32768;");
  const selectTask = db.prepare("SELECT owner, version, deleted, json FROM tasks WHERE id = ?");
  const selectOwnerId = db.prepare("SELECT id FROM owners WHERE owner = ?");
  /** An owner's number is its for ever. */
  const ownerIds = new Map<number, string>();
  const selectHistory = db.prepare(
    "SELECT h.deleted, h.undo_before, h.json FROM history h JOIN tasks t ON t.task = h.task WHERE t.id = ? AND h.version < ? ORDER BY h.version DESC LIMIT ?",
  );
  const selectOperation = db.prepare("SELECT command, code, version FROM log WHERE operation_id = ?");
  const selectPosition = db.prepare("SELECT coalesce(max(position), 0) AS offset FROM log");
  const selectOwner = db.prepare("SELECT owner FROM owners WHERE id = ?");
  const selectMatches = db.prepare(
    "SELECT count(*) AS n, json_group_array(rowid) AS tasks FROM terms WHERE terms MATCH ?",
  );
  const lists = new Map<string, StatementSync>();

  function ownerIdOf(owner: number): string {
    const { id } = selectOwnerId.get(owner) as { id: Uint8Array };
    const text = uuidText(id);
    if (ownerIds.size >= ownersMax) ownerIds.clear();
    ownerIds.set(owner, text);
    return text;
  }

  function prepared(sql: string): StatementSync {
    let statement = lists.get(sql);
    if (statement === undefined) {
      if (lists.size >= statementsMax) lists.clear();
      lists.set(sql, (statement = db.prepare(sql)));
    }
    return statement;
  }

  /** Whether fewer than `fewTasks` rows of this `FROM ... WHERE ...` exist; it never looks at more. */
  function isFew(from: string, values: readonly SQLInputValue[]): boolean {
    return (
      (prepared(`SELECT count(*) AS n FROM (SELECT 1 FROM ${from} LIMIT ${fewTasks})`).get(...values) as { n: number })
        .n < fewTasks
    );
  }

  /** How the tasks of a query are best reached: by the index of a filter that leaves few of them, else by the sort's index. */
  function access(query: ListQuery, owned: Condition, filters: readonly Filter[]): string {
    for (const { index, sql, values } of filters) {
      if (
        index !== undefined &&
        isFew(`tasks INDEXED BY ${index} WHERE ${owned.sql} AND ${sql}`, [...owned.values, ...values])
      )
        return `INDEXED BY ${index}`;
    }
    return `INDEXED BY ${indexes[query.sort]}`;
  }

  function list(query: ListQuery): Listed[] {
    const found = selectOwner.get(uuidBytes(query.ownerId)) as { owner: number } | undefined;
    if (found === undefined || query.labels.length > labelsMax) return [];
    const owned = { sql: "owner = ? AND deleted = ?", values: [found.owner, Number(query.deleted)] };
    const filters = filtersOf(query);
    let by = "NOT INDEXED";
    const match = matching(found.owner, query.words, query.labels);
    const matches = match === undefined ? undefined : (selectMatches.get(match) as { n: number; tasks: string });
    if (matches === undefined || matches.n >= fewTasks) by = access(query, owned, filters);
    if (matches !== undefined)
      filters.push({ sql: "task IN (SELECT value FROM json_each(?))", values: [matches.tasks] });
    const column = columns[query.sort];
    const direction = query.descending ? "DESC" : "ASC";
    const beyond = query.descending ? "<" : ">";

    /** A stretch of the order: the tasks after a place in it that have one more thing in common. */
    const stretch = (place: readonly Condition[], order: string, limit: number): Row[] => {
      const conditions: readonly Condition[] = [owned, ...place, ...filters];
      const sql = `SELECT id, ${column} AS key, json FROM tasks ${by} WHERE ${conditions.map((each) => each.sql).join(" AND ")} ORDER BY ${order} LIMIT ?`;
      return prepared(sql).all(...conditions.flatMap(({ values }) => values), limit) as Row[];
    };

    const { after } = query;
    const limit = query.limit + 1;
    const rows: Row[] = [];
    if (after === undefined || after.key !== null) {
      const place: Condition[] = query.sort === "dueAt" ? [{ sql: "due_at IS NOT NULL", values: [] }] : [];
      if (after !== undefined)
        place.push({ sql: `(${column}, id) ${beyond} (?, ?)`, values: [after.key, uuidBytes(after.id)] });
      rows.push(...stretch(place, `${column} ${direction}, id ${direction}`, limit));
    }
    // Tasks without a due date come last, whichever the direction.
    if (query.sort === "dueAt" && rows.length < limit) {
      const place: Condition[] = [{ sql: "due_at IS NULL", values: [] }];
      if (after?.key === null) place.push({ sql: `id ${beyond} ?`, values: [uuidBytes(after.id)] });
      rows.push(...stretch(place, `id ${direction}`, limit - rows.length));
    }
    return rows.map(({ id, key, json }) => ({ json, end: { key, id: uuidText(id) } }));
  }

  return {
    task: guarded((id) => {
      const row = selectTask.get(uuidBytes(id)) as TaskRow | undefined;
      if (row === undefined) return undefined;
      const { owner, version, deleted, json } = row;
      return { ownerId: ownerIds.get(owner) ?? ownerIdOf(owner), version, deleted: deleted === 1, json };
    }),
    list: guarded(list),
    history: guarded((taskId, before, limit) => {
      const rows = selectHistory.all(uuidBytes(taskId), before, limit) as {
        deleted: number;
        undo_before: number;
        json: string;
      }[];
      return rows.map(
        ({ deleted, undo_before: undoBefore, json }): Change => ({
          entry: JSON.parse(json) as Entry,
          deleted: deleted === 1,
          undoBefore,
        }),
      );
    }),
    operation: guarded((id) => {
      const row = selectOperation.get(uuidBytes(id)) as
        | { command: string; code: string | null; version: number | null }
        | undefined;
      if (row === undefined) return undefined;
      const { userId, taskId } = JSON.parse(row.command) as { userId: string; taskId: string };
      return {
        userId,
        taskId,
        verdict: row.code === null ? "applied" : "rejected",
        code: row.code,
        version: row.version,
      };
    }),
    position: guarded(() => ({ partition: 0, offset: (selectPosition.get() as { offset: number }).offset })),
    close: () => db.close(),
  };
}

function filtersOf(query: ListQuery): Filter[] {
  const { priority, dueBeforeMs, dueAfterMs, updatedAfterMs } = query;
  const filters: Filter[] = [];
  if (priority !== undefined || query.statuses.length > 0) {
    const allowed = query.statuses.length > 0 ? query.statuses : statuses;
    const sql = `status IN (${allowed.map(() => "?").join(", ")})`;
    if (priority === undefined) filters.push({ index: "tasks_by_state", sql, values: allowed });
    else
      filters.push({
        index: "tasks_by_state",
        sql: `${sql} AND priority = ?`,
        values: [...allowed, priorities.indexOf(priority)],
      });
  }
  if (dueBeforeMs !== undefined || dueAfterMs !== undefined) {
    const range = [
      dueBeforeMs === undefined ? [] : ["due_at < ?"],
      dueAfterMs === undefined ? [] : ["due_at > ?"],
    ].flat();
    filters.push({
      index: "tasks_by_due",
      sql: range.join(" AND "),
      values: [dueBeforeMs ?? [], dueAfterMs ?? []].flat(),
    });
  }
  if (updatedAfterMs !== undefined)
    filters.push({ index: "tasks_by_updated", sql: "updated_at > ?", values: [updatedAfterMs] });
  return filters;
}

/** A failure of the file is `read-model-unavailable` to clients. */
function guarding(failed: ((error: unknown) => void) | undefined) {
  return <Arguments extends unknown[], Result>(read: (...given: Arguments) => Result) =>
    (...given: Arguments): Result => {
      try {
        return read(...given);
      } catch (cause) {
        failed?.(cause);
        throw new Problem("read-model-unavailable", undefined, { cause });
      }
    };
}
