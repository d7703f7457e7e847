/** The store in one SQLite file: log, records, history and tasks of a batch in one transaction. */
import type { DatabaseSync } from "node:sqlite";
import type { Command } from "../model/command.ts";
import type { Change, Entry } from "../model/past.ts";
import { priorities, type Task } from "../model/task.ts";
import { labelTerm, wordTerm } from "../model/terms.ts";
import { uuidBytes, uuidText } from "../model/uuid-bytes.ts";
import { fold, words } from "../model/words.ts";
import { transaction } from "../sqlite-file.ts";
import { type Batch, type Loaded, markOf, type Operation, type Store, type Stored, type Taken } from "./apply.ts";
import { cleaner } from "./clean-sqlite.ts";
import type { Refusal } from "./decide.ts";

/** `owners` remembered at most; beyond it they are looked up again. */
const ownersKept = 10_000;

/** `end` is the offset after the last command in the log. */
export type SqliteStore = Store & {
  end(): number;
  /** Erases a part of what erased users have left; false when there is nothing more. */
  clean(): boolean;
};

/** Takes an open database of ours (database.ts), whose only writer it is. Returns values, not promises. */
export function sqliteStore(db: DatabaseSync): SqliteStore {
  const selectEnd = db.prepare("SELECT coalesce(max(position), 0) + 1 AS next FROM log");
  const insertLog = db.prepare(
    "INSERT INTO log (position, operation_id, command, code, version) VALUES (?, ?, ?, ?, ?)",
  );
  const selectOperation = db.prepare("SELECT position, command, code, version FROM log WHERE operation_id = ?");
  const model = readModelWriter(db);

  return {
    end: () => Number((selectEnd.get() as { next: number }).next),
    load(commands) {
      const loaded: Loaded = { tasks: new Map(), operations: new Map(), erased: new Map() };
      for (const { operationId, taskId, userId } of commands) {
        const erasedAt = model.erasedAt(userId);
        if (erasedAt !== undefined) loaded.erased.set(markOf(userId, 0), erasedAt);
        if (!loaded.operations.has(operationId)) {
          const row = selectOperation.get(uuidBytes(operationId)) as OperationRow | undefined;
          if (row !== undefined) loaded.operations.set(operationId, operation(row));
        }
        if (loaded.tasks.has(taskId)) continue;
        const task = model.task(taskId);
        if (task !== undefined) loaded.tasks.set(taskId, task);
      }
      return loaded;
    },
    changes: model.changes,
    clean: cleaner(db),
    write(batch) {
      transaction(db, () => {
        for (const taken of batch.operations) logged(taken);
        model.write(batch);
      });
      return "written";
    },
  };

  function logged({ position, command, code, version }: Taken): void {
    insertLog.run(
      position.offset,
      uuidBytes(command.operationId),
      JSON.stringify(command),
      code ?? null,
      version ?? null,
    );
  }
}

export type ReadModelWriter = {
  task(taskId: string): Stored | undefined;
  changes(task: Stored, from: number, to: number): Change[];
  /** The position at which the user was erased. */
  erasedAt(userId: string): number | undefined;
  /** Everything of a batch but its log rows, inside the caller's transaction. What erased users leave is only marked: `clean` sees to it. */
  write(batch: Pick<Batch, "changes" | "tasks" | "erasures">): void;
};

/** Writes what is a function of the log: shared by the store and by the rebuild, so that they cannot differ. */
export function readModelWriter(db: DatabaseSync): ReadModelWriter {
  const selectTask = db.prepare("SELECT task, deleted, position, undoable, json FROM tasks WHERE id = ?");
  const insertTask = db.prepare(
    "INSERT INTO tasks (task, id, owner, deleted, version, position, undoable, status, priority, created_at, updated_at, due_at, title, json) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
  );
  const updateTask = db.prepare(
    "UPDATE tasks SET deleted = ?, version = ?, position = ?, undoable = ?, status = ?, priority = ?, updated_at = ?, due_at = ?, title = ?, json = ? WHERE task = ?",
  );
  const touchTask = db.prepare("UPDATE tasks SET position = ? WHERE task = ?");
  const insertHistory = db.prepare(
    "INSERT INTO history (task, version, deleted, undo_before, json) VALUES (?, ?, ?, ?, ?)",
  );
  const selectHistory = db.prepare(
    "SELECT deleted, undo_before, json FROM history WHERE task = ? AND version BETWEEN ? AND ? ORDER BY version",
  );
  const insertTerms = db.prepare("INSERT INTO terms (rowid, spelled) VALUES (?, ?)");
  const deleteTerms = db.prepare("DELETE FROM terms WHERE rowid = ?");
  const selectOwner = db.prepare("SELECT owner FROM owners WHERE id = ?");
  const insertOwner = db.prepare("INSERT INTO owners (id) VALUES (?) RETURNING owner");
  const owners = new Map<string, number>();
  const insertErased = db.prepare("INSERT OR IGNORE INTO erased (id, position, scrubbed, done) VALUES (?, ?, 0, 0)");
  const selectErased = db.prepare("SELECT id, position FROM erased");
  /** All of them: this writer is the only one. */
  const erased = new Map(
    (selectErased.all() as { id: Uint8Array; position: number }[]).map(({ id, position }) => [uuidText(id), position]),
  );

  return {
    erasedAt: (userId) => erased.get(userId),
    task(taskId) {
      const row = selectTask.get(uuidBytes(taskId)) as TaskRow | undefined;
      if (row === undefined) return undefined;
      const { task: bornAt, deleted, position: takenAt, undoable, json: text } = row;
      return { task: JSON.parse(text) as Task, text, deleted: deleted === 1, undoable, bornAt, takenAt };
    },
    changes(task, from, to) {
      const rows = selectHistory.all(task.bornAt, from, to) as HistoryRow[];
      return rows.map(({ deleted, undo_before: undoBefore, json }) => ({
        entry: JSON.parse(json) as Entry,
        deleted: deleted === 1,
        undoBefore,
      }));
    },
    write({ changes, tasks, erasures }) {
      for (const { userId, position } of erasures) {
        insertErased.run(uuidBytes(userId), position.offset);
        erased.set(userId, position.offset);
      }
      for (const { task, change } of changes)
        insertHistory.run(
          task.bornAt,
          change.entry.version,
          Number(change.deleted),
          change.undoBefore,
          JSON.stringify(change.entry),
        );
      for (const { task, before } of tasks) {
        if (before === undefined) inserted(task);
        else if (before.task.version === task.task.version) touchTask.run(task.takenAt, task.bornAt);
        else updated(task, before);
      }
    },
  };

  function inserted({ task, text, deleted, undoable, bornAt, takenAt }: Stored): void {
    const owner = ownerOf(task.ownerId);
    const [status, priority, updatedAt, dueAt, title] = sortKeys(task);
    const createdAt = Date.parse(task.createdAt);
    insertTask.run(
      bornAt,
      uuidBytes(task.id),
      owner,
      Number(deleted),
      task.version,
      takenAt,
      undoable,
      status,
      priority,
      createdAt,
      updatedAt,
      dueAt,
      title,
      text,
    );
    insertTerms.run(bornAt, termsOf(owner, task));
  }

  function updated({ task, text, deleted, undoable, bornAt, takenAt }: Stored, before: Stored): void {
    updateTask.run(Number(deleted), task.version, takenAt, undoable, ...sortKeys(task), text, bornAt);
    const owner = ownerOf(task.ownerId);
    const terms = termsOf(owner, task);
    if (terms === termsOf(owner, before.task)) return;
    deleteTerms.run(bornAt);
    insertTerms.run(bornAt, terms);
  }

  function ownerOf(userId: string): number {
    const kept = owners.get(userId);
    if (kept !== undefined) return kept;
    const id = uuidBytes(userId);
    const { owner } = (selectOwner.get(id) ?? insertOwner.get(id)) as { owner: number };
    if (owners.size >= ownersKept) owners.clear();
    owners.set(userId, owner);
    return owner;
  }
}

function sortKeys(task: Task): [string, number, number, number | null, string] {
  return [
    task.status,
    priorities.indexOf(task.priority),
    Date.parse(task.updatedAt),
    task.dueAt === null ? null : Date.parse(task.dueAt),
    fold(task.title),
  ];
}

function termsOf(owner: number, task: Task): string {
  const terms = words(task.title, task.description).map((word) => wordTerm(owner, word));
  for (const label of task.labels) terms.push(labelTerm(owner, label));
  return terms.join(" ");
}

type OperationRow = { position: number; command: string; code: Refusal | null; version: number | null };
type TaskRow = { task: number; deleted: number; position: number; undoable: number; json: string };
type HistoryRow = { deleted: number; undo_before: number; json: string };

function operation(row: OperationRow): Operation {
  const { operationId, fingerprint, taskId } = JSON.parse(row.command) as Command;
  return {
    operationId,
    fingerprint,
    taskId,
    position: { partition: 0, offset: row.position },
    code: row.code ?? undefined,
    version: row.version ?? undefined,
  };
}
