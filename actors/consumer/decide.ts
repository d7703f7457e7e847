/**
 * What a command does to a task: a pure function of the two, so that it can be decided again after a crash with the same result.
 *
 * Undo. Each task carries `undoable`, the version of the latest change not yet undone, and each change of the history carries what `undoable`
 * was before it (`undoBefore`). The task's fields always equal those after the change `undoable`; an undo therefore needs that one entry:
 * it sets the entry's fields back to `from` and `undoable` to the entry's `undoBefore`. Nothing grows with the length of the history, and
 * a new change after undos starts from where they ended, as in an editor.
 */
import type { Command, Outcome } from "../model/command.ts";
import { created } from "../model/created.ts";
import { type Change, type ChangeKind, differences, type Tracked, take } from "../model/past.ts";
import type { Task } from "../model/task.ts";

export type TaskState = {
  readonly task: Task;
  readonly deleted: boolean;
  /** The version of the change that an undo takes back; 0: there is none (a creation cannot be undone). */
  readonly undoable: number;
};

export type Refusal = NonNullable<Outcome["code"]>;

export type Decision =
  | { readonly verdict: "rejected"; readonly code: Refusal }
  /** `history` is absent when nothing changed: then `state` is the one given. */
  | { readonly verdict: "applied"; readonly state: TaskState; readonly history?: Change };

/**
 * `undone` is the history's change of version `current.undoable`; only an undo needs it.
 * Checks in this order: exists and may be seen (404), version (412), state (409).
 */
export function decide(current: TaskState | undefined, command: Command, undone?: Change): Decision {
  if (command.kind === "create")
    return current === undefined ? create(command) : rejected(command.onTaken ?? "conflict");
  if (current === undefined || current.task.ownerId !== command.userId) return rejected("not-found");
  if (current.deleted && command.kind !== "restore" && command.kind !== "undo") return rejected("not-found");
  if (command.expected !== undefined && command.expected !== "*" && !command.expected.includes(current.task.version))
    return rejected("version-mismatch");
  switch (command.kind) {
    case "patch":
    case "replace":
      return change(current, command);
    case "delete":
      return next(
        current,
        command,
        { kind: "deleted", deleted: true, undoable: current.task.version + 1 },
        current.task,
      );
    case "restore":
      if (!current.deleted) return rejected("conflict");
      return next(
        current,
        command,
        { kind: "restored", deleted: false, undoable: current.task.version + 1 },
        current.task,
      );
    case "undo":
      return undo(current, command, undone);
    case "erase":
      throw new Error("Cannot decide an erasure for a task: it is of all tasks of a user");
  }
}

function rejected(code: Refusal): Decision {
  return { verdict: "rejected", code };
}

function create(command: Command): Decision {
  const task = created(command);
  return {
    verdict: "applied",
    state: { task, deleted: false, undoable: 0 },
    history: {
      entry: {
        version: 1,
        kind: "created",
        at: task.createdAt,
        actorId: command.userId,
        operationId: command.operationId,
        changes: differences(undefined, task),
      },
      deleted: false,
      undoBefore: 0,
    },
  };
}

function change(current: TaskState, command: Command): Decision {
  const { task } = current;
  const values: Tracked = { ...fields(task), ...command.body };
  if (values.status !== "done") values.completedAt = null;
  else if (task.status !== "done") values.completedAt = notBefore(task, command.at);
  const decision = next(current, command, { kind: "changed", deleted: false, undoable: task.version + 1 }, values);
  return decision.history !== undefined && Object.keys(decision.history.entry.changes).length === 0
    ? { verdict: "applied", state: current }
    : decision;
}

function undo(current: TaskState, command: Command, undone: Change | undefined): Decision {
  if (current.undoable === 0) return rejected("conflict");
  if (undone?.entry.version !== current.undoable)
    throw new Error(`Cannot undo: the change of version ${current.undoable} was not given`);
  const values = fields(current.task);
  take(values, undone.entry.changes, "from");
  // Taking back a deletion brings the task back, and taking back a restoration deletes it again.
  const deleted = undone.entry.kind === "deleted" ? false : undone.entry.kind === "restored" ? true : current.deleted;
  return next(current, command, { kind: "undone", deleted, undoable: undone.undoBefore }, values);
}

type Step = { kind: ChangeKind; deleted: boolean; undoable: number };

function next(current: TaskState, command: Command, step: Step, values: Tracked): Decision & { verdict: "applied" } {
  const version = current.task.version + 1;
  const at = notBefore(current.task, command.at);
  const changes = differences(fields(current.task), values);
  return {
    verdict: "applied",
    state: {
      task: { ...current.task, ...fields(values), version, updatedAt: at },
      deleted: step.deleted,
      undoable: step.undoable,
    },
    history: {
      entry: { version, kind: step.kind, at, actorId: command.userId, operationId: command.operationId, changes },
      deleted: step.deleted,
      undoBefore: current.undoable,
    },
  };
}

/** Time does not run backwards within a task, whatever the clocks of those who append: the texts have one form, so they compare as instants do. */
function notBefore(task: Task, at: string): string {
  return at < task.updatedAt ? task.updatedAt : at;
}

function fields({ title, description, status, priority, labels, dueAt, completedAt }: Tracked): Tracked {
  return { title, description, status, priority, labels, dueAt, completedAt };
}
