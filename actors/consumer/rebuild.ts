/**
 * Throws the read model away and makes it again from the log, equal to the byte: here the one in SQLite, in rebuild-kafka.ts the one in MongoDB.
 *
 * The log's own columns (code, version) are verdicts: they are decided anew as well and must come out as recorded. All of it is one
 * transaction, so an interrupted rebuild leaves the read model as it was.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Command } from "../model/command.ts";
import { transactionAsync } from "../sqlite-file.ts";
import { apply, type Delivery, markOf, type Store, type Stored } from "./apply.ts";
import { cleaner } from "./clean-sqlite.ts";
import { dropReadModel, readModel } from "./schema.ts";
import { readModelWriter } from "./store-sqlite.ts";

/** Commands decided and written together. */
const batchSize = 1_000;
/** Tasks kept as objects between batches at most; the rest are read back from the file. */
const tasksKept = 20_000;

/** The rebuild is refused and nothing was changed; the message is one clear line. */
export class RebuildError extends Error {
  override readonly name = "RebuildError";
}

/** How a rebuild tells how far it is, and is told to stop. */
export type RebuildControl = {
  readonly progress: { update(commands: number, total: number): void; stage(what: string): void };
  /** Looked at between batches; once aborted, its reason is thrown. */
  readonly signal: AbortSignal;
};

type LogRow = { position: number; command: string; code: string | null; version: number | null };

/**
 * Resolves to the number of commands. The caller holds the folder's lock and the only connection that writes. Throws a `RebuildError` when a
 * verdict does not come out as recorded: then nothing is changed.
 */
export async function rebuild(db: DatabaseSync, control?: RebuildControl): Promise<number> {
  const { total } = db.prepare("SELECT count(*) AS total FROM log").get() as { total: number };
  let commands = 0;
  await transactionAsync(db, async () => {
    db.exec(dropReadModel + readModel);
    const store = replayStore(db);
    const rows = db.prepare(
      "SELECT position, command, code, version FROM log WHERE position > ? ORDER BY position LIMIT ?",
    );
    for (let last = 0; ; ) {
      const logged = rows.all(last, batchSize) as LogRow[];
      if (logged.length === 0) break;
      const deliveries = logged.map(
        ({ position, command }): Delivery => ({
          position: { partition: 0, offset: position },
          command: JSON.parse(command) as Command,
        }),
      );
      const outcomes = await apply(store, deliveries);
      for (const [index, { position, code, version }] of logged.entries()) {
        const outcome = outcomes[index];
        if ((outcome?.code ?? null) !== code || (outcome?.version ?? null) !== version)
          throw new RebuildError(
            `Cannot rebuild: the command at position ${position} was decided as ${verdict(code, version)} and now as ${verdict(outcome?.code ?? null, outcome?.version ?? null)}`,
          );
        last = position;
      }
      commands += logged.length;
      control?.progress.update(commands, total);
      // Signals are heard between turns of the event loop only.
      await nextTurn();
      control?.signal.throwIfAborted();
    }
    control?.progress.stage("Writing the new read model to the disk");
  });
  for (const clean = cleaner(db); clean(); );
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return commands;
}

function verdict(code: string | null, version: number | null): string {
  return code ?? `applied as version ${version}`;
}

/** The log has each operation once, so there are no records to look up; tasks just written are kept at hand. */
function replayStore(db: DatabaseSync): Store {
  const model = readModelWriter(db);
  let kept = new Map<string, Stored>();
  return {
    load(commands) {
      const tasks = new Map<string, Stored>();
      const erased = new Map<string, number>();
      for (const { taskId, userId } of commands) {
        const erasedAt = model.erasedAt(userId);
        if (erasedAt !== undefined) erased.set(markOf(userId, 0), erasedAt);
        const task = kept.get(taskId) ?? model.task(taskId);
        if (task !== undefined) tasks.set(taskId, task);
      }
      return { tasks, operations: new Map(), erased };
    },
    changes: model.changes,
    write(batch) {
      model.write(batch);
      if (kept.size > tasksKept) kept = new Map();
      for (const { task } of batch.tasks) kept.set(task.task.id, task);
      return "written";
    },
  };
}
