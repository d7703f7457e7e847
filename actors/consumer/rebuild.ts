/**
 * Throws the read model away and makes it again from the log, equal to the byte: here the one in SQLite, in rebuild-kafka.ts the one in MongoDB.
 *
 * The log's own columns (code, version) are verdicts: they are decided anew as well and must come out as recorded. All of it is one
 * transaction, so an interrupted rebuild leaves the read model as it was.
 *
 *     bun run rebuild <DATA_DIR>
 *     KAFKA_BROKERS=... MONGO_URL=... bun run rebuild
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { DatabaseSync } from "node:sqlite";
import { readConfig } from "../config.ts";
import { lockDataDir } from "../data-dir.ts";
import type { Command } from "../model/command.ts";
import { transactionAsync } from "../sqlite-file.ts";
import { apply, type Delivery, markOf, type Store, type Stored } from "./apply.ts";
import { cleaner } from "./clean-sqlite.ts";
import { openDatabase, tasksFile } from "./database.ts";
import { rebuildFromKafka } from "./rebuild-kafka.ts";
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
  for (const clean = cleaner(db); clean(); );
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

const help = `Throws the read model away and makes it again from the log. Stop the system first; only task processes on servers may go on.

Usage: bun run rebuild DATA_DIR
       KAFKA_BROKERS=... MONGO_URL=... [VARIABLE=value ...] bun run rebuild

With KAFKA_BROKERS and MONGO_URL (and what else the system is given for them) it is the read model in MongoDB, else the one in the folder.
Exit codes: 0 done, 2 when it cannot be done (one line tells why, and everything is as it was).
`;

async function main(given: readonly string[]): Promise<void> {
  const [dataDir, ...more] = given;
  if (given.includes("--help") || given.includes("-h")) return void process.stdout.write(help);
  if (more.length > 0 || dataDir?.startsWith("-") === true)
    throw new Error(`Cannot take the argument ${JSON.stringify(more[0] ?? dataDir)}; see --help`);
  const { kafka, mongo } = readConfig();
  if (kafka === undefined || mongo === undefined) return await inFolder(dataDir);
  if (dataDir !== undefined) throw new Error("Cannot rebuild both: give a DATA_DIR, or KAFKA_BROKERS and MONGO_URL");
  const begunMs = performance.now();
  const commands = await rebuildFromKafka({ kafka, mongo, progress: progress() });
  finished(commands, performance.now() - begunMs);
}

async function inFolder(dataDir: string | undefined): Promise<void> {
  if (dataDir === undefined)
    throw new Error("Cannot rebuild: give the DATA_DIR, as in `bun run rebuild data`, or KAFKA_BROKERS and MONGO_URL");
  if (!existsSync(join(dataDir, tasksFile.name)))
    throw new Error(`Cannot rebuild: there is no ${tasksFile.name} in ${dataDir}`);
  const lock = lockDataDir(dataDir);
  try {
    const db = openDatabase(dataDir);
    try {
      const { total } = db.prepare("SELECT count(*) AS total FROM log").get() as { total: number };
      const { commands, elapsedMs } = await rebuild(db, progress(total));
      finished(commands, elapsedMs);
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}

/** Says something now and then. */
function progress(total?: number): (done: number) => void {
  let told = 0;
  return (done) => {
    if (done - told < 50_000) return;
    told = done;
    process.stdout.write(`${done}${total === undefined ? "" : ` of ${total}`} commands\n`);
  };
}

function finished(commands: number, elapsedMs: number): void {
  const seconds = (elapsedMs / 1_000).toFixed(1);
  process.stdout.write(
    `Rebuilt from ${commands} commands in ${seconds} s (${Math.round((commands * 1_000) / elapsedMs)} a second)\n`,
  );
}

if (import.meta.main) {
  try {
    await main(process.argv.slice(2));
  } catch (error) {
    const { name, message } = error as Error;
    // What drivers say names hosts.
    const isTheirs = /^(Kafka|Mongo)/.test(name);
    process.stderr.write(`${isTheirs ? `Cannot rebuild: a server does not do its part (${name})` : message}\n`);
    process.exitCode = 2;
  }
}
