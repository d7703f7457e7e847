/** The log and the read model of one process: the writer's mailbox and its file. */
import type { Ref, Self } from "../../runtime/actor.ts";
import { causeOf } from "../cause.ts";
import type { consumer } from "../consumer/messages.ts";
import { generations } from "../model/generations.ts";
import type { Back } from "./back.ts";
import { latestInSqlite } from "./latest-sqlite.ts";
import { localLog } from "./log-local.ts";
import { sqliteReads } from "./reads-sqlite.ts";

const readyMs = 1_000;

export type LocalBackOptions = { dataDir: string; verdictMs: number; shared: SharedArrayBuffer; log: Self["log"] };

/** Of reads that fail, the log is told one in so long. */
const tellEveryMs = 10_000;

export function localBack(writer: Ref<typeof consumer.accepts>, options: LocalBackOptions): Back {
  let toldMs = Number.NEGATIVE_INFINITY;
  const reads = sqliteReads(options.dataDir, (error) => {
    if (performance.now() - toldMs < tellEveryMs) return;
    toldMs = performance.now();
    options.log("error", "read-failed", { step: "read tasks.db", reason: causeOf(error) });
  });
  return {
    log: localLog(writer, options.verdictMs),
    reads,
    latest: latestInSqlite({ reads, generations: generations(options.shared), now: Date.now }),
    async ready() {
      reads.position();
      await writer.ask("ready", null, { timeoutMs: readyMs });
    },
    close: async () => reads.close(),
  };
}
