/**
 * Throws the read model away and makes it again from the log, equal to the byte.
 *
 * The log's own columns (code, version) are verdicts: they are decided anew as well and must come out as recorded. All of it is one
 * transaction, so an interrupted rebuild leaves the read model as it was.
 *
 *     bun actors/consumer/rebuild.ts <DATA_DIR>
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { DatabaseSync } from "node:sqlite";
import { lockDataDir } from "../data-dir.ts";
import type { Command } from "../model/command.ts";
import { transactionAsync } from "../sqlite-file.ts";
import { apply, type Delivery, type Store, type Stored } from "./apply.ts";
import { openDatabase, tasksFile } from "./database.ts";
import { dropReadModel, readModel } from "./schema.ts";
import { readModelWriter } from "./store-sqlite.ts";

/** Commands decided and written together. */
const batchSize = 1_000;
/** Tasks kept as objects between batches at most; the rest are read back from the file. */
const tasksKept = 20_000;

export type Rebuilt = { readonly commands: number; readonly elapsedMs: number };

type LogRow = { position: number; command: string; code: string | null; version: number | null };

/**
 * The caller holds the folder's lock and the only connection that writes. `progress` is called after each batch. Throws when a verdict
 * does not come out as recorded: then nothing is changed.
 */
export async function rebuild(db: DatabaseSync, progress: (commands: number) => void = () => {}): Promise<Rebuilt> {
  const startedMs = performance.now();
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
          throw new Error(
            `Cannot rebuild: the command at position ${position} was decided as ${verdict(code, version)} and now as ${verdict(outcome?.code ?? null, outcome?.version ?? null)}`,
          );
        last = position;
      }
      commands += logged.length;
      progress(commands);
    }
  });
  db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return { commands, elapsedMs: performance.now() - startedMs };
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
      for (const { taskId } of commands) {
        const task = kept.get(taskId) ?? model.task(taskId);
        if (task !== undefined) tasks.set(taskId, task);
      }
      return { tasks, operations: new Map() };
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

async function main(dataDir: string | undefined): Promise<void> {
  if (dataDir === undefined)
    throw new Error("Cannot rebuild: give the DATA_DIR, as in `bun actors/consumer/rebuild.ts data`");
  if (!existsSync(join(dataDir, tasksFile.name)))
    throw new Error(`Cannot rebuild: there is no ${tasksFile.name} in ${dataDir}`);
  const lock = lockDataDir(dataDir);
  try {
    const db = openDatabase(dataDir);
    try {
      const { total } = db.prepare("SELECT count(*) AS total FROM log").get() as { total: number };
      let told = 0;
      const { commands, elapsedMs } = await rebuild(db, (done) => {
        if (done - told < 50_000) return;
        told = done;
        process.stdout.write(`${done} of ${total} commands\n`);
      });
      process.stdout.write(
        `Rebuilt from ${commands} commands in ${(elapsedMs / 1_000).toFixed(1)} s (${Math.round((commands * 1_000) / elapsedMs)} a second)\n`,
      );
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}

if (import.meta.main) {
  try {
    await main(process.argv[2]);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 2;
  }
}
