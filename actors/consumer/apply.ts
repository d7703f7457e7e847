/**
 * Takes a batch of commands in log order: recognises repeats and redeliveries, decides the others, writes once.
 *
 * A crash anywhere is answered by giving the same batch again: nothing takes effect twice, and every command gets its outcome again.
 */
import type { Command, Outcome, Position } from "../model/command.ts";
import { taskText } from "../model/created.ts";
import { type Change, past } from "../model/past.ts";
import { type Decision, decide, type Refusal, type TaskState } from "./decide.ts";

export type Delivery = { readonly position: Position; readonly command: Command };

/** A task as stored. */
export type Stored = TaskState & {
  /** As it is served. */
  readonly text: string;
  /** The log offsets of its creation and of the last command taken. Both are of the one partition to which the task's id belongs. */
  readonly bornAt: number;
  readonly takenAt: number;
};

/** What became of an operation when it was first taken. */
export type Operation = {
  readonly operationId: string;
  readonly fingerprint: string;
  readonly taskId: string;
  readonly position: Position;
  /** Undefined: it was applied. */
  readonly code: Refusal | undefined;
  /** The task's version after it, when applied. */
  readonly version: number | undefined;
};

/** An operation taken for the first time, with the command that the log keeps. */
export type Taken = Operation & { readonly command: Command };

/** A user whose tasks end at this position: those of the partition that were made before it. */
export type Erasure = { readonly userId: string; readonly position: Position };

export type Batch = {
  /** In log order. */
  readonly operations: readonly Taken[];
  /** In log order. */
  readonly changes: readonly { readonly task: Stored; readonly change: Change }[];
  /** Each touched task once, as the batch leaves it; `before` is as it was loaded. */
  readonly tasks: readonly { readonly task: Stored; readonly before: Stored | undefined }[];
  /** In log order. They come last: what of the batch is theirs goes with the rest. */
  readonly erasures: readonly Erasure[];
};

/** Where tasks, their history and the records of operations are kept. Faults of the store are thrown as they come; after one nothing of the batch counts as taken. */
export type Store = {
  /** The tasks and operation records that these commands name, by their ids. What does not exist is left out. */
  load(commands: readonly Command[]): Loaded | Promise<Loaded>;
  /** The changes of a task in the order of versions, `from` and `to` inclusive. */
  changes(task: Stored, from: number, to: number): Change[] | Promise<Change[]>;
  /**
   * Makes the batch durable and visible before it returns or resolves. Operations first, then changes, then tasks (or all at once); a task is
   * written only over an older `takenAt`, a change only where there is none: the same batch may come again, whole or in part. `again`: an operation's
   * record belongs to another command, so nothing but records was written, and the batch must be decided once more.
   */
  write(batch: Batch): Written | Promise<Written>;
};
export type Written = "written" | "again";

export type Loaded = {
  readonly tasks: Map<string, Stored>;
  readonly operations: Map<string, Operation>;
  /** Marks of erasures: the offset at which a user of these commands was erased in a partition, by `markOf`. */
  readonly erased: Map<string, number>;
};

export function markOf(userId: string, partition: number): string {
  return `${userId} ${partition}`;
}

/** A command that fits its schema and still cannot be decided: a fault of ours, and the same each time. */
export class UndecidableError extends Error {
  override readonly name = "UndecidableError";
  readonly delivery: Delivery;
  constructor(delivery: Delivery, cause: unknown) {
    super(`Cannot decide the ${delivery.command.kind} at ${delivery.position.partition}-${delivery.position.offset}`, {
      cause,
    });
    this.delivery = delivery;
  }
}

/** Each new decision has found a record that the one before did not know, and there are only so many. */
const decisionsMax = 20;

/**
 * The outcomes, one for each delivery in its order; they resolve after the batch is durable. Undefined: taken so long ago that its record is gone.
 * Throws an `UndecidableError` before anything is written.
 */
export async function apply(store: Store, deliveries: readonly Delivery[]): Promise<(Outcome | undefined)[]> {
  for (let times = 1; times <= decisionsMax; times++) {
    const { batch, outcomes } = await decided(store, deliveries);
    if (batch.operations.length === 0 || (await store.write(batch)) === "written") return outcomes;
  }
  throw new Error(`Cannot settle a batch: its operations were taken elsewhere ${decisionsMax} times`);
}

async function decided(
  store: Store,
  deliveries: readonly Delivery[],
): Promise<{ batch: Batch; outcomes: (Outcome | undefined)[] }> {
  const loaded = await store.load(deliveries.map(({ command }) => command));
  const tasks = new Map(loaded.tasks);
  const known = new Map(loaded.operations);
  const erased = new Map(loaded.erased);
  const erasures: Erasure[] = [];
  const operations: Taken[] = [];
  const changes: { task: Stored; change: Change }[] = [];
  const touched = new Set<string>();
  const outcomes: (Outcome | undefined)[] = [];

  /** Changes of this batch are not in the store yet. */
  const changesOf = async (task: Stored, from: number, to: number): Promise<Change[]> => {
    const own = changes
      .filter(
        ({
          task: {
            task: { id },
          },
          change: { entry },
        }) => id === task.task.id && entry.version >= from && entry.version <= to,
      )
      .map(({ change }) => change);
    const stored = own[0] === undefined ? to : own[0].entry.version - 1;
    return from > stored ? own : [...(await store.changes(task, from, stored)), ...own];
  };
  /** What is answered for an operation that was taken before. */
  const again = async (first: Operation, command: Command, verdict: "applied" | "replayed"): Promise<Outcome> => {
    const outcome: Outcome = {
      ...addressed(command, first.position),
      verdict: first.code !== undefined && verdict === "applied" ? "rejected" : verdict,
    };
    if (first.code !== undefined) outcome.code = first.code;
    const task = tasks.get(command.taskId);
    if (first.version === undefined || task === undefined) return outcome;
    const isLatest = first.version === task.task.version;
    const isPut = verdict === "replayed" && (command.kind === "create" || command.kind === "replace");
    const changes = isLatest && !(isPut && first.version === 1) ? [] : await changesOf(task, 1, first.version);
    const then = isLatest ? task : past(command.taskId, changes);
    outcome.version = first.version;
    if (isPut) {
      const made = first.version === 1 && changes[0]?.entry.operationId === first.operationId;
      if (made !== (command.kind === "create")) outcome.made = made;
    }
    if (then?.deleted === true) outcome.deleted = true;
    if (then !== undefined && command.kind !== "delete") outcome.task = taskText(then.task);
    return outcome;
  };

  /** A task may have been loaded a moment after the records. */
  const foundLate = async (command: Command): Promise<Operation | undefined> => {
    const found = (await store.load([command])).operations.get(command.operationId);
    if (found !== undefined) known.set(command.operationId, found);
    return found;
  };

  const note = ({ operation, outcome }: { operation: Taken; outcome: Outcome }): void => {
    known.set(operation.operationId, operation);
    operations.push(operation);
    outcomes.push(outcome);
  };

  for (const { position, command } of deliveries) {
    let record = known.get(command.operationId);
    const isTaken = (tasks.get(command.taskId)?.takenAt ?? -1) >= position.offset;
    if (record === undefined && isTaken) record = await foundLate(command);
    if (record !== undefined && (record.taskId !== command.taskId || record.position.offset < position.offset)) {
      const same = record.taskId === command.taskId && record.fingerprint === command.fingerprint;
      outcomes.push(
        same
          ? await again(record, command, "replayed")
          : { ...addressed(command, record.position), verdict: "rejected", code: "idempotency-mismatch" },
      );
      continue;
    }
    if (isTaken) {
      outcomes.push(record === undefined ? undefined : await again(record, command, "applied"));
      continue;
    }
    const { userId } = command;
    const mark = markOf(userId, position.partition);
    if (command.kind === "erase") {
      erasures.push({ userId, position });
      erased.set(mark, position.offset);
      note(erasing(command, position));
      continue;
    }
    if ((erased.get(mark) ?? position.offset) < position.offset) {
      note(taken({ verdict: "rejected", code: "not-found" }, { ...command, body: {} }, position, undefined));
      continue;
    }
    const current = tasks.get(command.taskId);
    let undone: Change | undefined;
    if (command.kind === "undo" && current !== undefined && current.undoable > 0)
      [undone] = await changesOf(current, current.undoable, current.undoable);
    const decision = tryDecide({ position, command }, current, undone);
    const first = taken(decision, command, position, current);
    note(first);
    const { state } = first;
    if (state === undefined) continue;
    tasks.set(command.taskId, state);
    touched.add(command.taskId);
    if (decision.verdict === "applied" && decision.history !== undefined)
      changes.push({ task: state, change: decision.history });
  }

  const written = [...touched].flatMap((id) => {
    const task = tasks.get(id);
    return task === undefined ? [] : [{ task, before: loaded.tasks.get(id) }];
  });
  return { batch: { operations, changes, tasks: written, erasures }, outcomes };
}

function erasing(command: Command, position: Position): { operation: Taken; outcome: Outcome } {
  const { operationId, taskId, fingerprint } = command;
  return {
    operation: { operationId, fingerprint, taskId, position, command, code: undefined, version: undefined },
    outcome: { ...addressed(command, position), verdict: "applied" },
  };
}

function tryDecide(delivery: Delivery, current: Stored | undefined, undone: Change | undefined): Decision {
  try {
    return decide(current, delivery.command, undone);
  } catch (cause) {
    throw new UndecidableError(delivery, cause);
  }
}

function taken(
  decision: Decision,
  command: Command,
  position: Position,
  current: Stored | undefined,
): { state?: Stored; operation: Taken; outcome: Outcome } {
  const { operationId, taskId, fingerprint } = command;
  const record = { operationId, fingerprint, taskId, position, command };
  if (decision.verdict === "rejected") {
    const { code } = decision;
    return {
      operation: { ...record, code, version: undefined },
      outcome: { ...addressed(command, position), verdict: "rejected", code },
    };
  }
  const { task, deleted, undoable } = decision.state;
  const text = decision.history === undefined && current !== undefined ? current.text : taskText(task);
  const outcome: Outcome = { ...addressed(command, position), verdict: "applied", version: task.version };
  if (deleted) outcome.deleted = true;
  if (command.kind !== "delete") outcome.task = text;
  return {
    state: { task, deleted, undoable, text, bornAt: current?.bornAt ?? position.offset, takenAt: position.offset },
    operation: { ...record, code: undefined, version: task.version },
    outcome,
  };
}

function addressed(
  command: Command,
  position: Position,
): Pick<Outcome, "operationId" | "taskId" | "userId" | "position"> {
  return { operationId: command.operationId, taskId: command.taskId, userId: command.userId, position };
}
