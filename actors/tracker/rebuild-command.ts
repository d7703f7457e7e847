/** `tracker rebuild`: the read model made again, in MongoDB or in the folder. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { ConfigError, readConfig } from "../config.ts";
import { openSpaceDatabase, spacesFile } from "../consumer/embedded/database.ts";
import { type RebuildControl, RebuildError } from "../consumer/tools/rebuild.ts";
import { rebuildSqlite } from "../consumer/tools/rebuild-embedded.ts";
import { rebuildMongo } from "../consumer/tools/rebuild-servers.ts";
import { checkDataDir, lockDataDir } from "../process/data-dir.ts";
import { type Command, flagsIn } from "./command.ts";

const fromLog = "--from-log";

export const rebuildCommand: Command = {
  summary: "makes tasks, lists and search again from what happened",
  help: `Throws the read model away and makes it again from the facts, the record of all that has happened. Nothing that was acknowledged is lost.

Usage: [VARIABLE=value ...] tracker rebuild [${fromLog}]

With KAFKA_BROKERS and MONGO_URL it rebuilds the read model in MongoDB: stop every consumer first; task processes may go on.
Otherwise it rebuilds the one in DATA_DIR: stop the system first.

${fromLog} makes the facts too, from the commands in Kafka: for a MongoDB that was lost, or whose facts are damaged. It needs the whole log, back to its
beginning. Spaces that were erased are erased again.

The new read model takes the old one's place only when it is whole. A rebuild that fails or is interrupted leaves the old one as it was.`,

  async run(args, { print, progress, signal }) {
    const isFromLog = flagsIn(args, [fromLog]).has(fromLog);
    const { kafka, mongo, dataDir } = readConfig();
    const startedMs = performance.now();
    const servers = kafka !== undefined && mongo !== undefined ? { kafka, mongo } : undefined;
    if (isFromLog && servers === undefined)
      throw new ConfigError([
        `rebuild ${fromLog} needs KAFKA_BROKERS and MONGO_URL: in DATA_DIR the facts are the log`,
      ]);
    const what = isFromLog ? "commands" : "facts";
    const reporter = progress(what);
    const control = { progress: reporter, signal };
    const { count, passedOver } = await (servers === undefined
      ? rebuildFolder(dataDir, control)
      : rebuildMongo({ ...servers, isFromLog, ...control })
    ).finally(() => reporter.end());
    const elapsedMs = performance.now() - startedMs;
    const perSecond = Math.round((count * 1_000) / elapsedMs);
    print(`Rebuilt from ${count} ${what} in ${(elapsedMs / 1_000).toFixed(1)} s (${perSecond} a second)`);
    if (passedOver > 0)
      print(`Passed over ${passedOver} records that were set aside; \`tracker redrive\` puts back what can be`);
  },
};

async function rebuildFolder(dataDir: string, control: RebuildControl): Promise<{ count: number; passedOver: number }> {
  if (!existsSync(join(dataDir, spacesFile.name)))
    throw new RebuildError(`Cannot rebuild: there is no ${spacesFile.name} in DATA_DIR ${dataDir}`);
  checkDataDir(dataDir, [spacesFile]);
  const lock = lockDataDir(dataDir);
  try {
    const db = openSpaceDatabase(dataDir);
    try {
      return { count: await rebuildSqlite(db, control), passedOver: 0 };
    } finally {
      db.close();
    }
  } finally {
    lock.release();
  }
}
