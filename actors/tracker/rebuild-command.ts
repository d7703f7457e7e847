/** `tracker rebuild`: the read model made again from the log, in MongoDB or in the folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readConfig } from "../config.ts";
import { RebuildError, rebuild } from "../consumer/rebuild.ts";
import { rebuildFromKafka } from "../consumer/rebuild-kafka.ts";
import { openSpaceDatabase, spacesFile } from "../consumer/space-database.ts";
import { checkDataDir, lockDataDir } from "../data-dir.ts";
import { type Command, type CommandContext, flagsIn } from "./command.ts";
import type { ProgressReporter } from "./progress.ts";

export const rebuildCommand: Command = {
  summary: "makes tasks, lists and search again from what happened",
  help: `Throws the read model away and makes it again from the facts (on the servers, from the log). Nothing that was acknowledged is lost: they have it.

Usage: [VARIABLE=value ...] tracker rebuild

With KAFKA_BROKERS and MONGO_URL it rebuilds the read model in MongoDB: stop every consumer first; task processes may go on.
Otherwise it rebuilds the one in DATA_DIR: stop the system first.

The new read model takes the old one's place only when it is whole. A rebuild that fails or is interrupted leaves the old one as it was.`,

  async run(args, { print, progress, signal }) {
    flagsIn(args, []);
    const { kafka, mongo, dataDir } = readConfig();
    const startedMs = performance.now();
    const servers = kafka !== undefined && mongo !== undefined ? { kafka, mongo } : undefined;
    const what = servers === undefined ? "facts" : "commands";
    const reporter = progress(what);
    let count: number;
    try {
      if (servers !== undefined) count = await rebuildFromKafka({ ...servers, progress: reporter, signal });
      else count = await rebuildFolder(dataDir, reporter, signal);
    } finally {
      reporter.end();
    }
    const elapsedMs = performance.now() - startedMs;
    const perSecond = Math.round((count * 1_000) / elapsedMs);
    print(`Rebuilt from ${count} ${what} in ${(elapsedMs / 1_000).toFixed(1)} s (${perSecond} a second)`);
  },
};

async function rebuildFolder(
  dataDir: string,
  progress: ProgressReporter,
  signal: CommandContext["signal"],
): Promise<number> {
  if (!existsSync(join(dataDir, spacesFile.name)))
    throw new RebuildError(`Cannot rebuild: there is no ${spacesFile.name} in DATA_DIR ${dataDir}`);
  checkDataDir(dataDir, [spacesFile]);
  const lock = lockDataDir(dataDir);
  try {
    const db = openSpaceDatabase(dataDir);
    try {
      return await rebuild(db, { progress, signal });
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}
