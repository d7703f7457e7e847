/** `tracker rebuild`: the read model made again from the log, in MongoDB or in the folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../config.ts";
import { openDatabase, tasksFile } from "../consumer/database.ts";
import { RebuildError, rebuild } from "../consumer/rebuild.ts";
import { rebuildFromKafka } from "../consumer/rebuild-kafka.ts";
import { checkDataDir, lockDataDir } from "../data-dir.ts";
import { type Command, type CommandContext, flagsIn } from "./command.ts";
import type { ProgressReporter } from "./progress.ts";

export const rebuildCommand: Command = {
  summary: "makes tasks, history and search again from the log",
  help: `Throws the read model away and makes it again from the log. Nothing that was acknowledged is lost: the log has it.

Usage: [VARIABLE=value ...] tracker rebuild

With KAFKA_BROKERS and MONGO_URL it rebuilds the read model in MongoDB: stop every consumer first; task processes may go on.
Otherwise it rebuilds the one in DATA_DIR: stop the system first.

The new read model takes the old one's place only when it is whole. A rebuild that fails or is interrupted leaves the old one as it was.`,

  async run(args, { print, progress, signal }) {
    flagsIn(args, []);
    const { kafka, mongo, dataDir } = readConfig();
    const startedMs = performance.now();
    const reporter = progress("commands");
    let commands: number;
    try {
      if (kafka !== undefined && mongo !== undefined)
        commands = await rebuildFromKafka({ kafka, mongo, progress: reporter, signal });
      else commands = await rebuildFolder(dataDir, reporter, signal);
    } finally {
      reporter.end();
    }
    const elapsedMs = performance.now() - startedMs;
    const perSecond = Math.round((commands * 1_000) / elapsedMs);
    print(`Rebuilt from ${commands} commands in ${(elapsedMs / 1_000).toFixed(1)} s (${perSecond} a second)`);
  },
};

async function rebuildFolder(
  dataDir: string,
  progress: ProgressReporter,
  signal: CommandContext["signal"],
): Promise<number> {
  if (!existsSync(join(dataDir, tasksFile.name)))
    throw new RebuildError(`Cannot rebuild: there is no ${tasksFile.name} in DATA_DIR ${dataDir}`);
  checkDataDir(dataDir, [tasksFile]);
  const lock = lockDataDir(dataDir);
  try {
    const db = openDatabase(dataDir);
    try {
      return await rebuild(db, { progress, signal });
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}
